package grant

import "time"

// maxDeviceCodes is how many codes in a row are shown that nobody enters.
const maxDeviceCodes = 3

// device walks the device grant, which nobody may be watching.
func (v View) device() Step {
	var d *Device
	if v.Record != nil {
		d = v.Record.Device
	}
	switch {
	case d == nil, d.Consent != v.Consent, v.Insists && (d.Declined || d.spent(v.Now)):
		return Step{Action: Authorize, Count: 1}
	case d.Declined, d.spent(v.Now) && d.Count >= maxDeviceCodes:
		return Step{Action: Ask, Need: NeedDevice}
	case d.spent(v.Now):
		return Step{Action: Authorize, Count: d.Count + 1}
	}
	if v.Now.Before(d.PollAt) {
		return Step{Action: Await, At: d.PollAt}
	}
	return Step{Action: Poll}
}

func (d *Device) spent(now time.Time) bool { return !now.Before(d.ExpiresAt) }

// pending says that a person may be about to enter a code.
func (v View) pending() bool {
	d := v.Record.Device
	return v.ByDevice && d != nil && d.Consent == v.Consent && !d.Declined && !d.spent(v.Now)
}
