package settings

import (
	"strings"
	"testing"
)

// TestWrong compares whole messages: they are what a user has of it.
func TestWrong(t *testing.T) {
	t.Parallel()
	const good = "--secret t --output-dir /o "
	for name, test := range map[string]struct{ arguments, environ, want string }{
		"nothing at all": {"", "", "set --secret, --mount or --credential-file: one says where the token comes from"},
		"no sink": {
			"--secret t", "",
			"set --output-dir, --secret-output, --token-address or --proxy-listen: at least one says where the token goes",
		},
		"two sources": {
			"--mount /m --output-dir /o", "TOKENSYNC_SECRET=t",
			"TOKENSYNC_SECRET and --mount: cannot be used together, because a token comes from one place",
		},
		"three sources": {
			"--mount /m --secret t --credential-file c --output-dir /o", "",
			"--secret, --mount and --credential-file: cannot be used together, because a token comes from one place",
		},
		"a flag that is none":     {good + "--output-dri /o", "", "unknown flag: --output-dri: see --help"},
		"a flag without a value":  {"--secret", "", "flag needs an argument: --secret: see --help"},
		"an argument":             {good + "run", "", `unexpected argument "run": all settings are flags, see --help`},
		"the downward API's flag": {good + "--pod-ip 10.0.0.7", "", "unknown flag: --pod-ip: see --help"},
		"variables that are none": {
			good, "TOKENSYNC_OUTPUT_DRI=/o TOKENSYNC_A=1",
			"TOKENSYNC_A: there is no such setting, see --help\nTOKENSYNC_OUTPUT_DRI: there is no such setting, see --help",
		},
		"a variable that hardly looks like a Service's": {
			good, "TOKENSYNC_TOKEN_PORT=8080", "TOKENSYNC_TOKEN_PORT: there is no such setting, see --help",
		},
		"all that is wrong at once": {
			"--secret T --output-dir /o", "TOKENSYNC_ONCE=yes TOKENSYNC_X=1",
			"TOKENSYNC_X: there is no such setting, see --help\n" +
				"--secret=T: must be the name of an object: lower-case letters, digits, - and ., such as my-token\n" +
				"TOKENSYNC_ONCE=yes: must be true or false",
		},
		"a namespace": {good + "--namespace a.b", "", "--namespace=a.b: must be a namespace: lower-case letters, digits and -"},
		"a key":       {good + "--token-key a/b", "", "--token-key=a/b: must be a key of a Secret: letters, digits, -, _ and ."},
		"a word for a mode": {
			good, "TOKENSYNC_OUTPUT_MODE=rw-r--r--", "TOKENSYNC_OUTPUT_MODE=rw-r--r--: must be a mode in octal digits, such as 0640",
		},
		"a decimal mode": {good + "--output-mode 0680", "", "--output-mode=0680: must be a mode in octal digits, such as 0640"},
		"a setuid mode":  {good + "--output-mode 4644", "", "--output-mode=4644: must be a mode in octal digits, such as 0640"},
		"a mode to execute": {
			good + "--output-mode 0750", "", "--output-mode=0750: must not let anybody execute the files: 0644 lets all read them",
		},
		"a mode for nobody": {
			good + "--output-mode 0", "", "--output-mode=0: must let somebody read the files: 0644 lets all do that",
		},
		"a mode without its folder": {
			"--secret t --token-address 127.0.0.1:1 --output-mode 0600", "", "--output-mode: works only with --output-dir",
		},
		"a group": {
			good + "--output-group -2", "", "--output-group=-2: must be the number of a group, 0 to 2147483647, or -1 to leave it",
		},
		"a group by its name": {
			good + "--output-group www", "", "--output-group=www: must be the number of a group, 0 to 2147483647, or -1 to leave it",
		},
		"a Secret to write without a credential": {
			"--mount /m --secret-output s", "", "--secret-output: works only with --credential-file",
		},
		"what belongs to a credential": {
			good + "--allow-insecure-http", "TOKENSYNC_SECRETS_DIR=/s TOKENSYNC_EGRESS_DENY_CIDR=10.0.0.0/8",
			"TOKENSYNC_SECRETS_DIR: works only with --credential-file\nTOKENSYNC_EGRESS_DENY_CIDR: works only with --credential-file\n" +
				"--allow-insecure-http: works only with --credential-file",
		},
		"a namespace of a folder": {
			"--mount /m --output-dir /o --namespace n", "", "--namespace: works only with --secret or --credential-file",
		},
		"a network": {
			"--credential-file c --output-dir /o --egress-allow-cidr 10.0.0.0/8,10.0.0.1", "",
			"--egress-allow-cidr=10.0.0.0/8,10.0.0.1: must be networks with commas between them, such as 10.0.0.0/8,fd00::/8",
		},
		"an address": {
			good, "TOKENSYNC_POD_IP=node-7", "TOKENSYNC_POD_IP=node-7: must be one IP address, as the downward API sets it",
		},
		"the same folder": {"--mount /m/ --output-dir /m", "", "--output-dir: must be another folder than --mount"},
		"the same address": {
			"--mount /m --token-address localhost:1 --proxy-listen 127.0.0.1:1 --proxy-upstream https://u", "",
			"--token-address: must be another address than --proxy-listen",
		},
		"half a proxy": {
			"--mount /m --proxy-listen 127.0.0.1:1", "",
			"--proxy-listen: needs --proxy-upstream, which says where the proxy leads to",
		},
		"the other half": {
			good, "TOKENSYNC_PROXY_UPSTREAM=https://u",
			"TOKENSYNC_PROXY_UPSTREAM: needs --proxy-listen, which says where the app finds the proxy",
		},
		"an insecure upstream": {
			"--mount /m --proxy-listen 127.0.0.1:1 --proxy-upstream http://u", "",
			"--proxy-upstream: must begin with https://, or the network sees the token; --proxy-insecure-upstream allows it",
		},
		"an upstream with a user": {
			"--mount /m --proxy-listen 127.0.0.1:1 --proxy-upstream https://a:hunter2@u/v1", "",
			"--proxy-upstream=https://u/v1: must be a URL such as https://api.example.com/v1, without user, query and fragment",
		},
		"an upstream with a query": {
			"--mount /m --proxy-listen 127.0.0.1:1 --proxy-upstream https://u/?key=hunter2", "",
			"--proxy-upstream=https://u/: must be a URL such as https://api.example.com/v1, without user, query and fragment",
		},
		"a hook that cannot be read": {
			good, "TOKENSYNC_NOTIFY_URL=http://a:hunter2@h/%zz",
			"TOKENSYNC_NOTIFY_URL=[invalid URL]: must be a URL such as http://127.0.0.1:8080/reload, without user and fragment",
		},
		"a host network for nobody": {
			good + "--allow-host-network", "", "--allow-host-network: works only with --token-address or --proxy-listen",
		},
		"two receivers": {
			good + "--notify-process a --notify-pid-file /p", "",
			"--notify-process and --notify-pid-file: cannot be used together, because both say who gets the signal",
		},
		"a signal for nobody": {
			good + "--notify-signal USR1", "", "--notify-signal: works only with --notify-process or --notify-pid-file",
		},
		"a signal that is none": {
			good + "--notify-process a --notify-signal KILL", "",
			"--notify-signal=KILL: must be a signal by its name: HUP, INT, QUIT, USR1, USR2, TERM, CONT, WINCH or ALRM",
		},
		"a path for a process": {
			good + "--notify-process /bin/a", "",
			"--notify-process=/bin/a: must be the name of a program without its folder, such as nginx",
		},
		"notify without files": {
			"--mount /m --token-address 127.0.0.1:1 --notify-url http://h/", "", "--notify-url: works only with --output-dir",
		},
		"once, and nothing but an address": {
			"--mount /m --once", "TOKENSYNC_TOKEN_ADDRESS=127.0.0.1:1",
			"--once: works only with --output-dir or --secret-output: TOKENSYNC_TOKEN_ADDRESS serves no longer than this process runs",
		},
		"once, and somebody to tell": {
			good + "--once --notify-process a", "",
			"--notify-process and --once: cannot be used together, because the process ends before there is anybody to tell",
		},
		"a level":  {good + "--log-level warn", "", "--log-level=warn: must be info, debug or trace"},
		"a format": {good + "--log-format xml", "", "--log-format=xml: must be json or text"},
		"a health address": {
			good + "--health-address 9808", "",
			"--health-address=9808: must be an address such as :9808, 127.0.0.1:9808 or unix:/path, or 0 for none",
		},
		"a probe of nobody": {
			"--probe", "TOKENSYNC_HEALTH_ADDRESS=0", "--probe: there is nobody to ask, because TOKENSYNC_HEALTH_ADDRESS=0 turns that off",
		},
		"a probe that is neither": {
			good, "TOKENSYNC_PROBE=perhaps", "TOKENSYNC_PROBE=perhaps: must be true or false",
		},
		"control characters": {
			"--secret \x1b[31mred --output-dir /o", "",
			"--secret=[31mred: must be the name of an object: lower-case letters, digits, - and ., such as my-token",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(strings.Fields(test.arguments), strings.Fields(test.environ))
			if err == nil {
				t.Fatalf("got %+v", got)
			}
			if err.Error() != test.want {
				t.Errorf("error:\n%s\nwant:\n%s", err, test.want)
			}
		})
	}
}

func TestAddressesAreOfLoopback(t *testing.T) {
	t.Parallel()
	_, err := Parse([]string{"--mount=/m"}, []string{"TOKENSYNC_TOKEN_ADDRESS=0.0.0.0:80"})
	if err == nil || !strings.HasPrefix(err.Error(), "TOKENSYNC_TOKEN_ADDRESS ") {
		t.Errorf("got %v", err)
	}
}
