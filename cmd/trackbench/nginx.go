package main

import "time"

// nginx is Debian's package, run as somebody who knows it would: one worker, kept
// connections to the backend, a buffered log, nothing that spills to disk.
//
//   - ssl_session_cache off: with TLS 1.3 every session is a stateless ticket; a
//     shared cache would only be written to.
//   - keepalive 256: as many connections to the backend as requests are under way at
//     most; fewer would be closed and made anew all the time.
//   - NumTickets 1: OpenSSL sends two by default, each of which costs.
func nginx() contender {
	return contender{
		name:     "nginx",
		binary:   "nginx",
		settings: nginxSettings,
		start: func(s site) []string {
			return []string{"-c", s.settingsFile(), "-p", s.Folder, "-e", s.Folder + "/error.log"}
		},
		version: []string{"-v"},
		flush:   1200 * time.Millisecond,
	}
}

const nginxSettings = `daemon off;
{{if .Root}}user root;
{{end}}worker_processes 1;
worker_rlimit_nofile 20000;
pid {{.Folder}}/nginx.pid;
error_log {{.Folder}}/error.log warn;
events {
  worker_connections 16000;
  multi_accept on;
}
http {
  log_format event escape=json '{"time":"$time_iso8601","client":"$remote_addr","protocol":"$server_protocol",'
    '"method":"$request_method","host":"$host","path":"$uri","status":$status,"bytes_in":$request_length,'
    '"bytes_out":$bytes_sent,"duration_seconds":$request_time,"backend":"$upstream_addr",'
    '"backend_seconds":"$upstream_response_time","tls":"$ssl_protocol","reused":"$ssl_session_reused",'
    '"request_id":"$request_id","user_agent":"$http_user_agent"}';
  access_log {{.AccessLog}} event buffer=64k flush=1s;
  client_body_temp_path {{.Folder}}/body;
  proxy_temp_path {{.Folder}}/proxy;
  fastcgi_temp_path {{.Folder}}/fastcgi;
  uwsgi_temp_path {{.Folder}}/uwsgi;
  scgi_temp_path {{.Folder}}/scgi;
  server_tokens off;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 10000000;
  client_body_buffer_size 16k;
  upstream collectors {
    server {{.Backend}};
    keepalive 256;
    keepalive_requests 10000000;
    keepalive_timeout 300s;
  }
  server {
    listen {{.Address}} ssl http2 backlog=4096;
    http2_max_concurrent_streams 128;
    server_name {{.Host}};
    ssl_certificate {{.Certificate}};
    ssl_certificate_key {{.Key}};
    ssl_protocols TLSv1.3;
    ssl_ecdh_curve X25519;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_conf_command NumTickets 1;
    ssl_session_cache off;
    ssl_session_tickets on;
    ssl_session_timeout 1h;
    ssl_buffer_size 4k;
    location = /track {
      if ($request_method != POST) { return 404; }
      proxy_pass http://collectors;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_connect_timeout 1s;
      proxy_read_timeout 30s;
      proxy_next_upstream error timeout;
    }
    location / { return 404; }
  }
}
`
