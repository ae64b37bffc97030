package oauth

import "net/url"

// mediaType returns the Content-Type of a format, empty where there is no body.
func (b BodyFormat) mediaType() string {
	switch b {
	case BodyJSON:
		return "application/json"
	case BodyQuery, BodyNone:
		return ""
	case BodyForm:
	}

	return "application/x-www-form-urlencoded"
}

// write returns the URL and the body that carry the form.
func (b BodyFormat) write(f form, endpoint url.URL) (target url.URL, body string, err error) {
	switch b {
	case BodyJSON:
		body, err = f.encodeJSON()
	case BodyQuery:
		endpoint.RawQuery = f.addTo(endpoint.RawQuery)
	case BodyNone:
	case BodyForm, "":
		body = f.encode()
	}

	return endpoint, body, err
}
