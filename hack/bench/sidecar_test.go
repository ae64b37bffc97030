package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestSightingsCountFromEachWriteToTheFirstLook(t *testing.T) {
	began := time.Now()
	at := func(milliseconds int) time.Time { return began.Add(time.Duration(milliseconds) * time.Millisecond) }
	written := []write{{at(0), at(1)}, {at(10), at(12)}, {at(20), at(22)}, {at(30), at(40)}}
	s := &sightings{}
	s.see(0, at(5))
	s.see(2, at(24)) // The one before was overtaken.
	s.see(1, at(26))
	s.see(2, at(27))
	s.see(3, at(36))
	if got := s.after(written, whenSent); !slices.Equal(got, spread{14, 4, 6}) {
		t.Errorf("after they were sent: %v", got)
	}
	if got := s.after(written, whenAcknowledged); !slices.Equal(got, spread{12, 2, -4}) {
		t.Errorf("after they were answered: %v", got)
	}
	if s.count() != 4 || s.distinct() != 3 {
		t.Errorf("%d seen or overtaken, %d seen", s.count(), s.distinct())
	}
}

func TestSpread(t *testing.T) {
	var hundred spread
	for i := 100; i > 0; i-- {
		hundred = append(hundred, float64(i))
	}
	for share, want := range map[float64]float64{0: 1, 0.5: 50, 0.985: 99, 0.99: 99, 1: 100} {
		if got := hundred.quantile(share); got != want {
			t.Errorf("quantile(%v) = %v, want %v", share, got, want)
		}
	}
	if got := (spread{7}).String(); got != "p50 7.0, p99 7.0, at most 7.0 ms" {
		t.Errorf("of one: %s", got)
	}
	if got := (spread{}).quantile(0.5); got != 0 {
		t.Errorf("of none: %v", got)
	}
	if got := (spread{5, 8}).minus(spread{3, 9, 1}); !slices.Equal(got, spread{2, -1}) {
		t.Errorf("minus = %v", got)
	}
}

func TestSpacingIsNeverTheSameTwice(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range sidecarUpdates {
		got := spacing(i)
		if got < 5*time.Millisecond || got > 100*time.Millisecond || seen[got] {
			t.Errorf("the pause after write %d is %s", i, got)
		}
		seen[got] = true
	}
}

func TestSidecarRequestsAreCountedWithTheirWatches(t *testing.T) {
	const text = `apiserver_request_total{resource="secrets",scope="resource",verb="APPLY"} 300
apiserver_request_total{resource="secrets",scope="namespace",verb="LIST"} 2
apiserver_request_total{resource="secrets",scope="namespace",verb="WATCH"} 3
apiserver_request_total{resource="secrets",scope="cluster",verb="WATCH"} 50
apiserver_request_total{resource="leases",scope="resource",verb="GET"} 70
apiserver_longrunning_requests{resource="secrets",scope="resource",verb="WATCH"} 1
apiserver_longrunning_requests{resource="secrets",scope="cluster",verb="WATCH"} 9
`
	if got := countSecretRequests([]byte(text)).each(1); got != "APPLY secrets 300.00, LIST secrets 2.00, WATCH secrets 4.00" {
		t.Errorf("counted %s", got)
	}
}

func TestPhasesOfTheOperatorBeginWithReady(t *testing.T) {
	for phases, want := range map[string][2]bool{ // ready, and any credential at all
		"sidecar": {false, false}, "ceiling": {false, true}, "ready": {true, true}, "sidecar,restart": {true, true},
	} {
		o, err := parse([]string{"-phases", phases})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{o.runs("ready"), o.makesCredentials()}; got != want {
			t.Errorf("%s: %v, want %v", phases, got, want)
		}
	}
}

func TestReaderSeesWhatASwapShows(t *testing.T) {
	const settled = 20 * time.Millisecond // It has heard of the step before.
	p := &pods{bench: &bench{consumer: newConsumer(nil, 0)}}
	var err error
	if p.watcher, err = fsnotify.NewWatcher(); err != nil {
		t.Fatal(err)
	}
	one := &pod{directory: t.TempDir()}
	if err := p.watcher.Add(one.directory); err != nil {
		t.Fatal(err)
	}
	p.watching.Go(func() { p.read(map[string]*pod{one.directory: one}) })
	path := func(name string) string { return filepath.Join(one.directory, name) }
	for number := range 3 {
		generation := "..generation" + numbered(number)[:1]
		if err := os.Mkdir(path(generation), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(generation+"/access_token"), []byte(numbered(number)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(generation, path("..data_tmp")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		if err := os.Rename(path("..data_tmp"), path("..data")); err != nil {
			t.Fatal(err)
		}
		if number == 0 {
			time.Sleep(settled)
			if err := os.Symlink("..data/access_token", path("access_token")); err != nil {
				t.Fatal(err)
			}
		}
		for deadline := time.Now().Add(10 * time.Second); one.file.count() != number+1; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("token %d was not seen", number)
			}
		}
	}
	if err := p.watcher.Close(); err != nil {
		t.Fatal(err)
	}
	p.watching.Wait()
	if err := p.bench.consumer.failed(); err != nil {
		t.Error(err)
	}
}
