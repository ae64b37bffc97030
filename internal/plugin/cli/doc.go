// Package cli holds what the commands of the kubectl plugin share: the streams and the
// clock of a process, the cluster that kubectl is pointed at, how credentials are chosen
// on the command line, and what an exit code means.
//
//	0    all is well
//	1    an error, such as a cluster that does not answer
//	2    the command line cannot be used
//	3    a credential is not ready, or what was asked for has failed
//	4    the time was over before there was an outcome
//	130  interrupted
package cli
