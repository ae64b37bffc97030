package grant

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tokensync/tokensync/internal/redact"
)

// Hash identifies a refresh token in a cluster without telling it.
func Hash(cluster string, value redact.String) string {
	const size = 16 // bytes
	mac := hmac.New(sha256.New, []byte("tokensync grant "+cluster))
	mac.Write([]byte(value.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:size])
}
