package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tokensync/tokensync/internal/sidecar/health"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
	"github.com/tokensync/tokensync/internal/sidecar/notify"
)

// Each of these checks a value, which is never empty, and takes it over.

func text(into *string) func(string) error {
	return func(text string) error {
		*into = text
		return nil
	}
}

// checked takes a value over of which another function says what is wrong.
func checked(into *string, wrong func(string) []string, right string) func(string) error {
	return func(text string) error {
		if len(wrong(text)) > 0 {
			return errors.New(right)
		}
		*into = text
		return nil
	}
}

func objectName(into *string) func(string) error {
	return checked(into, validation.IsDNS1123Subdomain,
		"must be the name of an object: lower-case letters, digits, - and ., such as my-token")
}

func namespace(into *string) func(string) error {
	return checked(into, validation.IsDNS1123Label, "must be a namespace: lower-case letters, digits and -")
}

func key(into *string) func(string) error {
	return checked(into, validation.IsConfigMapKey, "must be a key of a Secret: letters, digits, -, _ and .")
}

// processName takes what a process calls itself, which is the last part of a path.
func processName(into *string) func(string) error {
	return func(text string) error {
		if strings.Contains(text, "/") {
			return errors.New("must be the name of a program without its folder, such as nginx")
		}
		*into = text
		return nil
	}
}

func oneOf(into *string, values ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(values, text) {
			return fmt.Errorf("must be %s", or(values))
		}
		*into = text
		return nil
	}
}

func boolean(into *bool) func(string) error {
	return func(text string) error {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("must be true or false")
		}
		*into = on
		return nil
	}
}

func networks(into *[]netip.Prefix) func(string) error {
	return func(text string) error {
		var parsed []netip.Prefix
		for network := range strings.SplitSeq(text, ",") {
			prefix, err := netip.ParsePrefix(network)
			if err != nil {
				return errors.New("must be networks with commas between them, such as 10.0.0.0/8,fd00::/8")
			}
			parsed = append(parsed, prefix)
		}
		*into = parsed
		return nil
	}
}

func ip(into *string) func(string) error {
	return func(text string) error {
		if _, err := netip.ParseAddr(text); err != nil {
			return errors.New("must be one IP address, as the downward API sets it")
		}
		*into = text
		return nil
	}
}

// mode takes the mode of files that hold a token: nobody runs those, and a directory
// follows from them.
func mode(into *fs.FileMode) func(string) error {
	const readable, executable = 0o444, 0o111
	return func(text string) error {
		number, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 32)
		switch {
		case err != nil || number > uint64(fs.ModePerm):
			return errors.New("must be a mode in octal digits, such as 0640")
		case number&executable != 0:
			return errors.New("must not let anybody execute the files: 0644 lets all read them")
		case number&readable == 0:
			return errors.New("must let somebody read the files: 0644 lets all do that")
		}
		*into = fs.FileMode(number)
		return nil
	}
}

func groupID(into *int) func(string) error {
	return func(text string) error {
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil || number < -1 {
			return fmt.Errorf("must be the number of a group, 0 to %d, or -1 to leave it", math.MaxInt32)
		}
		*into = int(number)
		return nil
	}
}

func signal(into *string) func(string) error {
	return func(text string) error {
		name, ok := notify.SignalName(text)
		if !ok {
			return fmt.Errorf("must be a signal by its name: %s", or(notify.SignalNames()))
		}
		*into = name
		return nil
	}
}

func upstream(into **url.URL) func(string) error {
	return func(text string) error {
		parsed, err := absolute(text)
		if err != nil || parsed.RawQuery != "" || parsed.ForceQuery {
			return errors.New("must be a URL such as https://api.example.com/v1, without user, query and fragment")
		}
		*into = parsed
		return nil
	}
}

func hook(into **url.URL) func(string) error {
	return func(text string) error {
		parsed, err := absolute(text)
		if err != nil {
			return errors.New("must be a URL such as http://127.0.0.1:8080/reload, without user and fragment")
		}
		*into = parsed
		return nil
	}
}

// absolute reads a URL of HTTP. Its error is for nobody to see: it may show what is
// secret.
func absolute(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	port, portErr := strconv.ParseUint(parsed.Port(), 10, 16)
	switch {
	case parsed.Scheme != "http" && parsed.Scheme != "https",
		parsed.Hostname() == "", parsed.User != nil, strings.Contains(text, "#"),
		parsed.Port() != "" && (portErr != nil || port == 0):
		return nil, errors.New("no such URL")
	}
	return parsed, nil
}

func loopbackAddress(into **loopback.Address) func(origin, text string) error {
	return func(origin, text string) error {
		parsed, err := loopback.Parse(origin, text)
		if err != nil {
			return err
		}
		*into = &parsed
		return nil
	}
}

func address(into *string) func(string) error {
	return func(text string) error {
		if _, _, err := health.Split(text); err != nil {
			return err
		}
		*into = text
		return nil
	}
}

// logLevels end below the level at which client-go logs the bodies of requests, Secrets
// and all.
var logLevels = map[string]slog.Level{"info": 0, "debug": -4, "trace": -5}

func level(into *slog.Level) func(string) error {
	return func(text string) error {
		known, ok := logLevels[text]
		if !ok {
			return errors.New("must be info, debug or trace")
		}
		*into = known
		return nil
	}
}

// or joins names as a sentence does that leaves the choice.
func or(names []string) string { return join(names, " or ") }

// and joins names as a sentence does that means all of them.
func and(names []string) string { return join(names, " and ") }

func join(names []string, word string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + word + names[last]
}
