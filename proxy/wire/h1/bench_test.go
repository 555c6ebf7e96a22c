package h1

import (
	"testing"

	"github.com/trackgate/trackgate/proxy/wire"
)

// smallHead is what a server-side client sends, browserHead what the tracker
// script in a browser does.
const (
	smallHead = "POST /track HTTP/1.1\r\nHost: track.example.com\r\nUser-Agent: Go-http-client/1.1\r\n" +
		"Content-Length: 995\r\nContent-Type: application/json\r\nX-Timestamp: 1700000000\r\nAccept-Encoding: gzip\r\n\r\n"
	browserHead = "POST /track?profile_less=true HTTP/1.1\r\nHost: track.example.com\r\nConnection: keep-alive\r\n" +
		"Content-Length: 1532\r\nsec-ch-ua-platform: \"Windows\"\r\n" +
		"User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n" +
		"sec-ch-ua: \"Google Chrome\";v=\"131\", \"Chromium\";v=\"131\"\r\nContent-Type: application/json\r\nx-timestamp: 1700000000123\r\n" +
		"sec-ch-ua-mobile: ?0\r\nAccept: */*\r\nOrigin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n" +
		"Referer: https://shop.example/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: de-DE,de;q=0.9\r\n\r\n"
	answerHead = "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: 258\r\n" +
		"content-type: application/json\r\nx-process-time: 0.0123\r\naccess-control-allow-origin: *\r\n\r\n"
)

func BenchmarkParseRequest(b *testing.B) {
	for name, head := range map[string]string{"small": smallHead, "browser": browserHead} {
		b.Run(name, func(b *testing.B) {
			buf, req := []byte(head), new(wire.Request)
			b.SetBytes(int64(len(head)))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, head)
				req.Reset()
				var scan Scanner
				n, err := scan.Scan(buf, usual)
				if err != nil {
					b.Fatal(err)
				}
				if err := ParseRequest(buf[:n], req, usual); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseResponse(b *testing.B) {
	buf, res, method := []byte(answerHead), new(wire.Response), []byte("POST")
	b.SetBytes(int64(len(answerHead)))
	b.ReportAllocs()
	for b.Loop() {
		copy(buf, answerHead)
		res.Reset()
		if err := ParseResponse(buf, res, method); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChunks(b *testing.B) {
	for name, size := range map[string]int{"995": 995, "16KiB": 16 << 10} {
		b.Run(name, func(b *testing.B) {
			body := AppendLastChunk(AppendChunk(nil, make([]byte, size)), nil)
			dst := make([]byte, size)
			var c Chunks
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c.Reset()
				if _, _, err := c.Decode(dst, body); err != nil || !c.Done() {
					b.Fatal(err)
				}
			}
		})
	}
}
