package redact

import (
	"encoding/json"
	"strconv"
)

// Strip returns a copy of a JSON value in which [Marker] stands for every known
// secret: at any depth, in names, and in numbers. A string that is keep stays as
// it is, though a part of it may look like a secret. What is no JSON, as
// encoding/json or an expression gives it, becomes nil, for what it holds cannot
// be told.
func (s *Scrubber) Strip(value any, keep String) any {
	switch value := value.(type) {
	case string:
		return s.stripText(value, keep)
	case map[string]any:
		stripped := make(map[string]any, len(value))
		for name, item := range value {
			stripped[s.stripText(name, keep)] = s.Strip(item, keep)
		}

		return stripped
	case []any:
		stripped := make([]any, 0, len(value))
		for _, item := range value {
			stripped = append(stripped, s.Strip(item, keep))
		}

		return stripped
	case json.Number, int64, uint64, float64:
		if text := digits(value); s.scrub(text) != text {
			return Marker
		}

		return value
	case bool:
		return value
	default:
		return nil
	}
}

// stripText removes the known secrets from text, and all of it where they show
// only once what cannot be seen is dropped.
func (s *Scrubber) stripText(text string, keep String) string {
	if text != "" && text == keep.Reveal() {
		return text
	}

	stripped := s.scrub(text)
	if folded := fold(stripped); s.scrub(folded) != folded {
		return Marker
	}

	return stripped
}

// digits returns a number as it may have been written.
func digits(number any) string {
	switch number := number.(type) {
	case json.Number:
		return number.String()
	case int64:
		return strconv.FormatInt(number, 10)
	case uint64:
		return strconv.FormatUint(number, 10)
	case float64:
		return strconv.FormatFloat(number, 'f', -1, 64)
	default:
		return ""
	}
}
