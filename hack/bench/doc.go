// Command bench measures what tokensync costs and how fast it is, on a real API
// server and with the operator as a process of its own, under the RBAC rules that
// it is shipped with:
//
//	ceiling  what a bare client can write to this API server: per credential one
//	         Secret and one status, both by server-side apply
//	sidecar  from the write of a Secret to the file that a sidecar keeps, beside a bare
//	         watch of that Secret; what the sidecar takes; the same with many of them
//	ready    from the start of the operator until all credentials are Ready
//	refresh  one round of refreshes: requests to the API server and CPU for each,
//	         and what is asked for in between
//	restart  SIGKILL and start again, while every token is good
//	outage   the provider answers 503 for a while; how soon all is good again
//
// By default each credential names its endpoint itself. With -shared all refer to one
// ClusterOAuthProvider, and so stand in one line with its limits: by default 10 token
// requests at a time for all namespaces together, instead of for each. For 10,000
// credentials of one provider:
//
//	make bench N=10000 BENCH_FLAGS='-shared -lifetime 10m'
//
// A sidecar is a process as well, with the rights on its one Secret that it needs, and a
// directory in memory (/dev/shm) where there is one. 300 writes by server-side apply are
// 5 to 100 ms apart, and none waits for the file of the one before. A time begins before
// the write is sent, or else when the API server has answered it, and ends when a reader
// in the bench's own process, whom inotify tells of each swap of ..data, has read the
// token in DIR/access_token, or a later one. There is no kubelet, so what a mounted Secret
// takes is told, and not measured. By themselves, in less than a minute:
//
//	make bench BENCH_FLAGS='-phases sidecar'
//
// A consumer watches every Secret from the first token on, and knows at each
// instant which of them hold an expired one.
//
// The figures depend on the machine, and the stand-in provider, the API server and
// the bench itself take their share of it; a share of the ceiling and figures per
// refresh are what to compare. The last line tells how busy the machine was with
// other things.
package main
