package assertion

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
)

const (
	// maxFile is the most bytes of a key with all that stands beside it.
	maxFile = 64 << 10
	// maxDER is the most bytes of a private key alone, which bounds what it costs to read one. An RSA key of
	// maxRSABits takes under 2.5 KiB.
	maxDER = 4 << 10

	blockCertificate = "CERTIFICATE"
	// doublyEncoded begins the base64 of every PEM text.
	doublyEncoded = "LS0tLS1CRUdJTi"
)

// ParseKey reads a private key:
//
//   - PEM with PKCS#8 (RSA, EC, Ed25519), PKCS#1 or SEC 1, alone or with certificates, one of which must belong to it;
//   - a JWK (RFC 7517), or a JWK Set with one private key or with one marked use: sig, of which the first is taken;
//   - the JSON file of a Google service account.
//
// A byte order mark, CRLF, indentation and white space around are tolerated, and so are line breaks that are written as
// \n. RSA keys have 2048 to 4096 bits. All its errors are of type [*KeyError].
func ParseKey(data []byte) (*Key, error) {
	if len(data) > maxFile {
		return nil, fault(messageTooLarge)
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case len(text) == 0:
		return nil, fault(messageEmpty)
	case text[0] == '{':
		return parseJSON(text)
	default:
		return parsePEM(text)
	}
}

// parsePEM reads the one private key in a PEM text, and the certificates beside it.
func parsePEM(text []byte) (*Key, error) {
	var key *Key
	var certificates [][]byte
	blocks := pemBlocks(text)
	for _, block := range blocks {
		switch {
		case strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, fault(messageEncrypted)
		case block.Type == blockCertificate:
			certificates = append(certificates, block.Bytes)
		case block.Type == "PRIVATE KEY", block.Type == "RSA PRIVATE KEY", block.Type == "EC PRIVATE KEY":
			if key != nil {
				return nil, fault(messageSeveral)
			}
			var err error
			if key, err = parseDER(block.Bytes); err != nil {
				return nil, err
			}
		}
	}
	if key == nil {
		return nil, fault(missingKey(text, blocks))
	}
	if len(certificates) > 0 {
		if err := key.bind(certificates); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// pemBlocks returns the blocks of a PEM text. Each line is trimmed, as an indented one is none to the decoder.
func pemBlocks(text []byte) []*pem.Block {
	lines := strings.Split(strings.ReplaceAll(string(text), `\n`, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	rest := []byte(strings.TrimPrefix(strings.Join(lines, "\n"), "\ufeff"))
	var blocks []*pem.Block
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return blocks
		}
		blocks = append(blocks, block)
	}
}

// parseDER reads a private key, whatever its block is called: tools disagree on the names.
func parseDER(der []byte) (*Key, error) {
	if len(der) > maxDER {
		return nil, fault(messageRSALong)
	}
	if private, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return newKey(private)
	}
	if private, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return newKey(private)
	}
	private, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, fault(messageKind)
	}
	return newKey(private)
}

// missingKey says what a text is that holds no private key.
func missingKey(text []byte, blocks []*pem.Block) string {
	// In this order: a certificate beside an encrypted key is not what is wrong.
	for _, known := range [][2]string{
		{"ENCRYPTED PRIVATE KEY", messageEncrypted},
		{"OPENSSH PRIVATE KEY", messageOpenSSH},
		{"DSA PRIVATE KEY", messageKind},
		{"PUBLIC KEY", messagePublic},
		{"RSA PUBLIC KEY", messagePublic},
		{blockCertificate, messageCertificate},
	} {
		if slices.ContainsFunc(blocks, func(b *pem.Block) bool { return b.Type == known[0] }) {
			return known[1]
		}
	}
	switch {
	case len(blocks) > 0:
		return messageNoKey
	case bytes.Contains(text, []byte("-----BEGIN ")):
		return messageBrokenPEM
	case bytes.HasPrefix(text, []byte(doublyEncoded)):
		return messageDoublyEncoded
	default:
		return messageUnknownForm
	}
}
