package configs

import "time"

// Units of Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// Defaults returns what holds where nothing is set. Its one listener and its
// one pool are what each listener and each pool starts from; they have no
// name. A gui listener differs from it: its CORS is off and it allows
// everything.
func Defaults() Settings {
	return Settings{
		Listeners: []Listener{defaultListener()},
		Pools:     []Pool{defaultPool()},
		TLS:       TLS{Issuer: IssuerNone, ACME: defaultACME(), Storage: "/var/lib/trackgate", Redis: Redis{Prefix: "trackgate"}, MinVersion: "1.2", HybridKeyExchange: true},
		Limits:    defaultLimits(),
		Timeouts:  defaultTimeouts(),
		Admin:     Admin{Socket: "/run/trackgate/admin.sock", Address: "127.0.0.1:9180"},
		Log:       Log{Level: "info", Format: "json", Access: AccessLog{Output: "stdout", Sample: 1, Rotate: Rotate{Keep: 10}}},
		Traces:    Traces{Sample: 1, Service: "trackgate"},
	}
}

func defaultACME() ACME {
	return ACME{
		Directory:  LetsEncrypt,
		Challenges: []Challenge{HTTP01, TLSALPN01},
		KeyType:    P256,
		DNS:        ChallengeDNS{RFC2136: Updates{KeyAlgorithm: HMACSHA256}, Propagation: 2 * time.Minute},
	}
}

func defaultListener() Listener {
	return Listener{
		Kind:   Public,
		TLS:    true,
		HTTP2:  true,
		Allow:  []Allow{{Preset: "track"}},
		Deny:   DenyRespond,
		CORS:   CORS{Origins: []string{"*"}, MaxAge: 2 * time.Hour},
		Limits: defaultLimits(),

		ClientCertificates: ClientCertificates{Mode: CertificateRequired},
	}
}

// defaultPool answers a public listener: a legitimate event can take more than
// 13 s, and uvicorn closes idle connections after 5 s.
func defaultPool() Pool {
	return Pool{
		Policy: RoundRobin,
		Health: Health{
			Path:     "/healthcheck",
			Status:   []int{200},
			Interval: 5 * time.Second,
			Timeout:  2 * time.Second,
			Rise:     2,
			Fall:     3,
			Failures: 3,
		},
		Timeouts:  BackendTimeouts{Connect: time.Second, Response: 30 * time.Second, Idle: 4 * time.Second},
		SlowStart: 10 * time.Second,
		Queue:     Queue{Size: 1000, Busy: 5 * time.Second},
		Retry:     Retry{Status: []int{502, 503, 504}, Attempts: 3, Deadline: 15 * time.Second, Budget: 20},
		DNS:       Lookup{Refresh: 30 * time.Second, Timeout: 2 * time.Second},
	}
}

func defaultLimits() Limits {
	return Limits{
		Body:                 MiB,
		Head:                 32 * KiB,
		Target:               8 * KiB,
		Fields:               100,
		BodyRate:             500,
		Streams:              100,
		StreamsPerConnection: 10000,
		Connections:          20000,
		ConnectionsPerClient: 200,
		HandshakesPerClient:  50,
	}
}

func defaultTimeouts() Timeouts {
	return Timeouts{
		Handshake: 10 * time.Second,
		Head:      10 * time.Second,
		Body:      10 * time.Second,
		Write:     30 * time.Second,
		KeepAlive: 60 * time.Second,
		Drain:     25 * time.Second,
	}
}
