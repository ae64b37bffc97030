// Package lease lets one of several replicas work, by a Lease in the API.
//
// client-go has an elector, too, but it links the clientset of all API groups, which takes
// more memory than the sidecar has.
//
// No two clocks are compared. A holder believes that it holds the Lease until some time
// (RenewDeadline) after it sent the last renewal that was acknowledged. Everybody else
// waits for longer than that (Duration) after they have seen the Lease change, and that was
// after the renewal was sent. Both measure with their own clock, and need no more of it than
// that it runs at about the right speed.
//
//	what an elector has read         what it does
//	-------------------------------  ----------------------------------------------------
//	no Lease, and never was one      creates it
//	its own name                     renews it
//	no name: it was given back       takes it
//	the name of another              waits until Duration after it saw the Lease so, then
//	                                 takes it
//	no Lease, where there was one    waits likewise, even its holder: nobody knows who held
//	                                 it last
//
// Each write carries the resourceVersion that was read, so that of two who take the Lease
// one fails, and a renewal that was long on its way changes nothing.
//
// What a holder does has to end soon after its context has: it is allowed the difference
// between Duration and RenewDeadline.
package lease
