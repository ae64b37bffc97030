package assertion

// KeyError says why a key cannot be used, or why it cannot sign what it was given. The same fault gives the same text,
// which holds nothing of the key. It does not say where the key came from: that is for the caller to put before it.
type KeyError struct {
	// Message is the whole story in sentences, with what to change.
	Message string
}

// Error returns the message.
func (e *KeyError) Error() string {
	return e.Message
}

func fault(message string) error {
	return &KeyError{Message: message}
}

// The messages of a KeyError, without those that name an algorithm or a claim.
const (
	messageEmpty    = "The private key is empty."
	messageTooLarge = "The private key is larger than 64 KiB with all that stands beside it. " +
		"Keep nothing there but the key and its certificate."
	messageUnknownForm = "The private key is neither PEM nor JSON (a JWK, or the file of a Google service account). " +
		"Convert it, for example with: openssl pkey -in key.der -out key.pem"
	messageDoublyEncoded = "The private key is encoded in base64 once more than it should be. " +
		"A Secret's data takes it encoded once, and its stringData as it is."
	messageBrokenPEM = "The PEM text of the private key is damaged. " +
		"Keep its line breaks, in YAML with a block that begins with |, and its first and last line."
	messageEncrypted = "The private key is encrypted with a passphrase, which cannot be given here. " +
		"Store it decrypted, for example with: openssl pkey -in key.pem -out decrypted.pem"
	messageOpenSSH = "The private key is in the format of OpenSSH. " +
		"Convert a copy of it, for example with: ssh-keygen -p -m PKCS8 -f copy"
	messagePublic      = "This is a public key. Give the private key that belongs to it."
	messageCertificate = "There is a certificate but no private key. Give the private key that belongs to it."
	messageNoKey       = "The PEM text holds no private key."
	messageSeveral     = "There is more than one private key. Keep the one that the provider knows."
	messageKind        = "The private key cannot be read, or is of a kind that cannot sign here. " +
		"Use RSA, an elliptic curve (P-256, P-384 or P-521) or Ed25519, in PKCS#8, PKCS#1 or SEC 1."
	messageRSAShort = "The RSA key is shorter than 2048 bits. Register a new one with the provider."
	messageRSALong  = "The RSA key is longer than 4096 bits. Register a shorter one with the provider."

	messageJSON    = "The JSON is neither a JWK, a JWK Set nor the file of a Google service account with a private_key."
	messageJWK     = "The JWK is not valid: a member is missing, has the wrong form, or does not fit the others."
	messageJWKKind = "The JWK is of a kind that cannot sign here. " +
		"Use RSA, EC (P-256, P-384 or P-521) or OKP with Ed25519."
	messageJWKSecret = "The JWK holds a shared secret (oct), which is no private key. " +
		"Use the method client_secret_jwt and store the secret itself under client.secretRef."
	messageJWKEncryption = "The JWK is for encryption (use: enc). Give the one for signatures."
	messageJWKAlgorithm  = "The alg of the JWK is no signature algorithm that fits its key. Correct or remove it."
	messageSetPublic     = "The JWK Set holds no private key for signatures. " +
		"Give the one with the private keys that belong to it."
	messageSetSeveral = "The JWK Set holds more than one private key. " +
		"Keep one, or mark the one that signs with use: sig."

	messageNoCertificate  = "The certificate is missing or is not PEM."
	messageBadCertificate = "A certificate cannot be read. Store it as the authority issued it, in PEM."
	messageMismatch       = "The private key does not belong to the certificate. Store the two that were issued together."

	messageClaims = "The claims cannot be written as JSON. Use texts, numbers, lists and objects of them."
	messageSign   = "The key cannot sign: its parts do not fit each other. Store it once more as it was made."
)
