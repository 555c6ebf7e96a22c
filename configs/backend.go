package configs

const maxWeight = 1000

// Discovery says how an entry of backends becomes addresses.
type Discovery string

// The kinds of discovery.
const (
	Static Discovery = ""    // one backend; a name is looked up as it is connected to
	DNS    Discovery = "dns" // every A and AAAA record of Host is a backend
	SRV    Discovery = "srv" // every SRV record of Host is a backend
)

// Backend is one entry of backends. Values can be compared.
type Backend struct {
	Discovery Discovery
	Scheme    string // "http" or "https"
	Host      string // name or IP literal without brackets; with discovery a name, absolute if it ends in a dot
	Port      int    // 0 with SRV: the records have it
	Weight    int    // 1 to 1000, of each backend that is found; 0: no new work
}

// backends compiles the backends of a pool, none of which may be there twice.
func (c compiler) backends(key string, drafts []draftBackend) []Backend {
	if len(drafts) == 0 {
		c.wrong(key, "at least one backend", "")
	}
	backends := make([]Backend, len(drafts))
	first := make(map[Backend]int, len(drafts))
	weights := 0
	for i, d := range drafts {
		at := index(key, i)
		if n := c.nodes[at]; n != nil && n.shape == section {
			at += ".url"
		}
		b := c.backend(at, d.URL)
		place := b
		place.Scheme = "" // nobody answers to both on one port
		if j, again := first[place]; again {
			c.wrong(at, "each backend once ("+index(key, j)+" is the same)", "")
		}
		first[place] = i
		b.Weight = c.weight(index(key, i)+".weight", d.Weight)
		weights = min(weights+max(b.Weight, 0), maxWeight)
		backends[i] = b
	}
	if weights == 0 {
		c.wrong(key, "at least one backend with a weight above 0", "")
	}
	return backends
}

func (c compiler) weight(key string, written *int) int {
	if written == nil {
		return 1
	}
	between(c, key, *written, 0, maxWeight)
	return *written
}

// backend reads a backend's URL. Where it is none, the mistake is noted.
func (c compiler) backend(key, written string) Backend {
	b, ok := parseBackend(written)
	if !ok {
		c.wrong(key, wantedBackend(b), likelyBackend(written))
	}
	return b
}

// wantedBackend tells the form of b's URL, of which perhaps only the scheme
// could be read.
func wantedBackend(b Backend) string {
	switch {
	case b.Scheme == "":
		return "http://host:port, https://host:port, dns+http://name:port or srv+http://_service._proto.name"
	case b.Discovery == DNS:
		return "dns+" + b.Scheme + "://name:port without user, path or query"
	case b.Discovery == SRV:
		return "srv+" + b.Scheme + "://_service._proto.name without port, user, path or query"
	default:
		return b.Scheme + "://host:port without user, path or query"
	}
}
