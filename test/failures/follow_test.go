package failures_test

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// follow hands on every version of some objects until whoever began it ends. An API
// server drops watches that cannot keep up; the next one goes on where the last ended.
func follow(ctx SpecContext, api client.WithWatch, list client.ObjectList, take func(object client.Object, now time.Time), options ...client.ListOption) {
	GinkgoHelper()
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	DeferCleanup(func() {
		cancel()
		<-done
	})
	Expect(api.List(ctx, list, options...)).To(Succeed())
	last := list.GetResourceVersion()
	open := func() (watch.Interface, error) {
		from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: last}}
		return api.Watch(watching, list, append([]client.ListOption{from}, options...)...)
	}
	watcher, err := open()
	Expect(err).NotTo(HaveOccurred())
	go func() {
		defer close(done)
		defer GinkgoRecover()
		for watching.Err() == nil {
			for event := range watcher.ResultChan() {
				object, ok := event.Object.(client.Object)
				if watching.Err() != nil {
					return
				}
				Expect(ok).To(BeTrue(), "the watch has failed: %v", event.Object)
				last = object.GetResourceVersion()
				take(object, time.Now())
			}
			if watcher, err = open(); watching.Err() == nil {
				Expect(err).NotTo(HaveOccurred())
			}
		}
	}()
}
