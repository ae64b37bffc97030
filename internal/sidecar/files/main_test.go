package files

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable makes a process that a test has started another program than the tests.
const childVariable = "TOKENSYNC_FILES_CHILD"

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		os.Exit(child(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
