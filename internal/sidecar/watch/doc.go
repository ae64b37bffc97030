// Package watch is the source that watches one Secret through the API.
//
// It needs the verbs get, list and watch on that Secret alone: a list and a watch that
// select one name are allowed by a Role that names it. Where that is refused, the Role is
// logged as it has to be.
//
//	what happens                         what is done
//	-----------------------------------  ------------------------------------------------
//	the Secret is made or changed        its keys are offered
//	it is deleted, or has no keys        the last set stays, until there are keys again
//	the API server cannot be reached     tried again at most three seconds apart
//	it refuses (401, 403)                logged once with the rights that are needed, and
//	                                     tried again as above
//	the watch ends, or is too old (410)  begun anew
//
// A connection that dies without a word is found by pings within 45 seconds.
package watch
