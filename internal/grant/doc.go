// Package grant decides what happens to a grant that must not be lost: one whose
// refresh tokens rotate, each spent by its use, or that a person has begun.
//
// A grant is kept as a Record, which a Secret holds. Before a refresh token is sent,
// an Attempt is written into it, which proves that its successor can be written, too,
// and tells everybody else to keep off. What the provider answers is written in one
// update before anything of it is judged, and the token is published from there. An
// attempt that stays open, because its process has died or no answer came, is
// repeated with the same refresh token, which most providers take once more.
//
// The package is pure: it neither reads nor writes, and knows no clock. Next says
// what to do, and the functions of a Record what becomes of it.
package grant
