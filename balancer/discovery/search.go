package discovery

import (
	"fmt"
	"strings"
)

// verdict is what asking for one name came to.
type verdict uint8

const (
	found   verdict = iota
	absent          // it does not exist
	empty           // it exists, without such records
	unknown         // nobody could say
)

// search tries the names that name may be short for until one is found; the
// package comment says when the next one has its chance. Winner is the one that
// was found last time, or "". Won is "" if none was found: the error then says
// why, else what could not be asked on the way.
func (s settings) search(name, winner string, try func(fqdn string) (verdict, error)) (won string, err error) {
	doubtful := false
	for _, fqdn := range s.names(name) {
		if doubtful && fqdn != winner {
			continue
		}
		v, failed := try(fqdn)
		if v == found && doubtful {
			return fqdn, err
		}
		if v == found {
			return fqdn, nil
		}
		err = also(err, failed)
		doubtful = doubtful || v == unknown || v == empty && fqdn == winner
	}
	if err == nil {
		err = fmt.Errorf("%q is not a name that DNS could know", name)
	}
	return "", err
}

// shown is an absolute name as people write it.
func shown(fqdn string) string { return strings.TrimSuffix(fqdn, ".") }

// noName and noRecords are the answers that are failures.
func noName(fqdn, server string) error {
	return fmt.Errorf("%s: no such name (NXDOMAIN from %s)", shown(fqdn), server)
}

func noRecords(fqdn, what, server string) error {
	return fmt.Errorf("%s: no %s (NOERROR from %s)", shown(fqdn), what, server)
}
