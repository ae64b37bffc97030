package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/operator"
)

const (
	podNamespace = "sidecar"
	podUser      = "system:serviceaccount:sidecar:app"
	// tokenLength is that of the tokens in the Secrets of pods, as long as a small JWT.
	tokenLength = 1000
	// podSecretBody is what the operator would write.
	podSecretBody = `{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":%[1]q,"namespace":%[2]q,` +
		`"labels":{"app.kubernetes.io/managed-by":"tokensync","tokensync.dev/credential":%[1]q},` +
		`"annotations":{"tokensync.dev/issued-at":%[4]q,"tokensync.dev/expires-at":%[5]q}},` +
		`"data":{"access_token":%[3]q,"token_type":"QmVhcmVy"}}`
)

// pods are as many sidecars with a Secret each, and one who reads the files of all, beside
// one who watches the Secrets without a sidecar.
type pods struct {
	bench    *bench
	all      []*pod
	root     string
	watcher  *fsnotify.Watcher
	watches  []watch.Interface
	watching sync.WaitGroup
}

// pod is one sidecar, and what was written for it and seen of it.
type pod struct {
	secret, directory string
	process           *operator.Process
	written           []write
	file, event       sightings
}

// podSecret is the name of the Secret of the i-th pod.
func podSecret(i int) string { return fmt.Sprintf("token-%03d", i) }

// grantSidecars gives the user of all pods the rights that a sidecar needs, no more.
func (b *bench) grantSidecars(ctx context.Context) error {
	body := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, podNamespace)
	if _, err := b.send(ctx, "POST", "/api/v1/namespaces", body); err != nil {
		return err
	}
	var names []string
	for i := range b.options.sidecars {
		names = append(names, podSecret(i))
	}
	object := metav1.ObjectMeta{Namespace: podNamespace, Name: "app"}
	role := &rbacv1.Role{ObjectMeta: object, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{corev1.GroupName}, Resources: []string{"secrets"}, ResourceNames: names, Verbs: []string{"get", "list", "watch"},
	}}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: object,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: object.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: podUser}},
	}
	if err := errors.Join(b.cluster.Client.Create(ctx, role), b.cluster.Client.Create(ctx, binding)); err != nil {
		return err
	}
	var err error
	b.podKubeconfig, err = b.cluster.AddUser(podUser, "system:serviceaccounts")
	return err
}

// newPods makes the Secrets and the directories, and begins to read those.
func (b *bench) newPods(ctx context.Context, n int) (*pods, error) {
	root, err := memoryDirectory()
	if err != nil {
		return nil, err
	}
	p := &pods{bench: b, root: root}
	if p.watcher, err = fsnotify.NewWatcher(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(root))
	}
	byDirectory := map[string]*pod{}
	for i := range n {
		one := &pod{secret: podSecret(i), directory: filepath.Join(root, podSecret(i))}
		p.all, byDirectory[one.directory] = append(p.all, one), one
		if err := errors.Join(os.Mkdir(one.directory, 0o700), p.watcher.Add(one.directory), p.write(ctx, one), p.watch(ctx, one)); err != nil {
			p.stop()
			return nil, err
		}
	}
	p.watching.Go(func() { p.read(byDirectory) })
	return p, nil
}

// memoryDirectory makes a directory in memory, as the volume for the token of a pod is,
// or else on disk.
func memoryDirectory() (string, error) {
	const pattern = "tokensync-bench-"
	if path, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
		return path, nil
	}
	return os.MkdirTemp("", pattern)
}

// start starts the sidecars, and waits until each has brought the token that is there.
func (p *pods) start(ctx context.Context) error {
	for _, one := range p.all {
		var err error
		one.process, err = operator.StartSidecar(ctx, operator.Options{
			Binary: p.bench.options.sidecar, Kubeconfig: p.bench.podKubeconfig, Log: p.bench.log,
			Arguments: []string{"--namespace=" + podNamespace, "--secret=" + one.secret, "--output-dir=" + one.directory},
		})
		if err != nil {
			return err
		}
	}
	return p.await(ctx)
}

// update writes the Secrets in turn, and waits until all is in the files. It does not
// wait for one before it writes the next.
func (p *pods) update(ctx context.Context, times int) error {
	for i := range times {
		if err := p.write(ctx, p.all[i%len(p.all)]); err != nil {
			return err
		}
		select {
		case <-time.After(spacing(i)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.await(ctx)
}

// spacing is how long it is from the i-th write to the next one: 5 to 100 ms, in no
// rhythm that anything could fall into.
func spacing(i int) time.Duration {
	const shortest, longest, golden = 5 * time.Millisecond, 100 * time.Millisecond, 0.6180339887
	_, part := math.Modf(golden * float64(i))
	return shortest + time.Duration(part*float64(longest-shortest))
}

// write writes the next token to the Secret of a pod.
func (p *pods) write(ctx context.Context, one *pod) error {
	number, issued := len(one.written), time.Now().UTC()
	body := fmt.Sprintf(podSecretBody, one.secret, podNamespace, base64.StdEncoding.EncodeToString([]byte(numbered(number))),
		issued.Format(time.RFC3339), issued.Add(time.Hour).Format(time.RFC3339))
	w := write{sent: time.Now()}
	_, err := p.bench.send(ctx, "PATCH", secretsPath(podNamespace)+"/"+one.secret+"?fieldManager=bench&force=true", body)
	w.acknowledged = time.Now()
	one.written = append(one.written, w)
	return err
}

// numbered is a token that tells its number.
func numbered(number int) string {
	token := strconv.Itoa(number) + "."
	return token + strings.Repeat("x", tokenLength-len(token))
}

// numberOf is the number that a token tells.
func numberOf(token []byte) (int, bool) {
	text, _, _ := strings.Cut(string(token), ".")
	number, err := strconv.Atoi(text)
	return number, err == nil && len(token) == tokenLength
}

// await waits until all tokens are in the files, and seen by those who watch.
func (p *pods) await(ctx context.Context) error {
	behind := func() (count int) {
		for _, one := range p.all {
			if min(one.file.count(), one.event.count()) < len(one.written) {
				count++
			}
		}
		return count
	}
	return p.bench.await(ctx, sidecarLimit, func() bool { return behind() == 0 },
		func() string {
			return fmt.Sprintf("%d of %d sidecars have not brought the last token, or a bare watch has not", behind(), len(p.all))
		})
}

// read reads the token of a pod as soon as the kernel tells that its directory shows
// another set, as an application might.
func (p *pods) read(byDirectory map[string]*pod) {
	for {
		select {
		case event, open := <-p.watcher.Events:
			if !open {
				return
			}
			// Nothing else that happens there shows another set.
			if name := filepath.Base(event.Name); name == "..data" || name == v1alpha1.KeyAccessToken {
				p.look(byDirectory[filepath.Dir(event.Name)])
			}
		case err := <-p.watcher.Errors:
			if err != nil {
				p.bench.consumer.fail(fmt.Errorf("watch the files: %w", err))
			}
		}
	}
}

// look notes which token the file of a pod holds.
func (p *pods) look(one *pod) {
	token, err := os.ReadFile(filepath.Join(one.directory, v1alpha1.KeyAccessToken))
	if err != nil {
		return // The first set is not all there yet.
	}
	number, whole := numberOf(token)
	if !whole {
		p.bench.consumer.fail(fmt.Errorf("%s holds a token that nobody has written", one.directory))
		return
	}
	one.file.see(number, time.Now())
}

// stop ends the sidecars, and removes what they wrote.
func (p *pods) stop() {
	var errs []error
	for _, one := range p.all {
		if one.process != nil {
			p.bench.sidecarCPU += cpuOf(one.process.PID())
			errs = append(errs, one.process.Stop())
		}
	}
	for _, events := range p.watches {
		events.Stop()
	}
	errs = append(errs, p.watcher.Close())
	p.watching.Wait()
	if err := errors.Join(append(errs, os.RemoveAll(p.root))...); err != nil {
		p.bench.sayf("sidecar: %v", err)
	}
}

// watch watches the Secret of a pod as a program does that speaks to the API server
// itself, with nothing around that.
func (p *pods) watch(ctx context.Context, one *pod) error {
	clients, err := kubernetes.NewForConfig(p.bench.cluster.Config)
	if err != nil {
		return err
	}
	seconds := watchSeconds
	events, err := clients.CoreV1().Secrets(podNamespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: "metadata.name=" + one.secret, TimeoutSeconds: &seconds,
	})
	if err != nil {
		return err
	}
	p.watches = append(p.watches, events)
	p.watching.Go(func() {
		for event := range events.ResultChan() {
			now := time.Now()
			secret, ok := event.Object.(*corev1.Secret)
			if !ok {
				continue
			}
			if number, whole := numberOf(secret.Data[v1alpha1.KeyAccessToken]); whole {
				one.event.see(number, now)
			}
		}
	})
	return nil
}
