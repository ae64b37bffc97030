package standin

import (
	"encoding/json"
	"maps"
	"net/http"
)

// record counts and logs what becomes of a request. It comes before the answer,
// so that whoever has the answer finds it counted.
func (s *Server) record(req *request, outcome Outcome, refused *refusal) {
	s.count(req, outcome)
	entry := Request{Time: req.at, ClientID: shorten(req.clientID), Scope: shorten(req.form.get("scope")), Outcome: outcome}
	if refused != nil {
		entry.Problem = refused.problem
	}
	s.log.add(entry)
}

// count counts what becomes of a request.
func (s *Server) count(req *request, outcome Outcome) {
	s.total.outcomes[outcome].Add(1)
	req.client.tally.outcomes[outcome].Add(1)
}

// answer is what an honest server answers, unless the answer of what it did is to be
// lost.
func (s *Server) answer(w http.ResponseWriter, req *request, refused *refusal, expiresIn json.RawMessage) {
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	given, refused := s.act(req, refused, expiresIn)
	if refused != nil {
		s.record(req, refused.outcome, refused)
		*buffer = s.body((*buffer)[:0], given, refused)
		maps.Copy(w.Header(), refused.header)
		s.write(w, refused.status, *buffer)
		return
	}
	var late *Behavior
	if req.spend != nil {
		late = s.behaviorFor(req.clientID, occasion{after: true})
	}
	if late != nil && late.ExpiresIn != nil {
		given.expiresIn = late.ExpiresIn
	}
	*buffer = s.body((*buffer)[:0], given, nil)
	switch {
	case late != nil && !wait(req.http, late.Delay):
		s.record(req, Abandoned, nil)
	case late != nil && late.Fault != NoFault:
		s.record(req, late.Fault.Outcome(), nil)
		s.misbehave(w, req, late, func() []byte { return *buffer })
	default:
		s.record(req, Issued, nil)
		s.write(w, http.StatusOK, *buffer)
	}
}

// act does what a request asks for, unless it is refused already.
func (s *Server) act(req *request, refused *refusal, expiresIn json.RawMessage) (grant, *refusal) {
	switch {
	case refused != nil:
		return grant{}, refused
	case req.spend == nil:
		return s.grant(req, expiresIn), nil
	}
	given, refused := req.spend(s.options.Clock())
	given.expiresIn = expiresIn
	return given, refused
}

// body appends the body of an answer.
func (s *Server) body(dst []byte, given grant, refused *refusal) []byte {
	switch {
	case refused != nil:
		return s.dialect.failure(dst, refused.code, refused.description)
	case given.body != nil:
		return append(dst, given.body...)
	}
	return s.dialect.success(dst, given)
}
