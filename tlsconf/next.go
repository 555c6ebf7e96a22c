package tlsconf

import (
	"reflect"

	"github.com/trackgate/trackgate/configs"
)

// concern is what a Keeper is made of, of a listener.
type concern struct {
	name, address, minVersion string
	kind                      configs.Kind
	hosts                     []string
	tls, http2                bool
	clients                   configs.ClientCertificates
}

func concernsOf(listeners []configs.Listener) []concern {
	all := make([]concern, len(listeners))
	for i, l := range listeners {
		all[i] = concern{l.Name, l.Address, l.MinVersion, l.Kind, l.Hosts, l.TLS, l.HTTP2, l.ClientCertificates}
	}
	return all
}

// Next returns the Keeper for other settings: k itself, if they say nothing new of what it
// keeps, or a new one. That one has still to be run, once k's Run has ended, or discarded.
// It opens the session tickets of listeners of the same name. All that can fail, fails
// here, as in New.
func (k *Keeper) Next(settings configs.TLS, listeners []configs.Listener) (*Keeper, error) {
	if reflect.DeepEqual(settings, k.settings) && reflect.DeepEqual(concernsOf(listeners), k.concerns) {
		return k, nil
	}
	next, err := New(settings, listeners, k.log)
	if err != nil {
		return nil, err
	}
	next.Inherit(k.Legacy())
	return next, nil
}

// Discard gives back what a Keeper has opened that is never run.
func (k *Keeper) Discard() {
	if k.managed != nil {
		k.managed.storage.close()
	}
}
