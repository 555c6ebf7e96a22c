// Package standin is a stand-in for tracardi-api: outwardly the backend that
// trackgate is made for, without its databases. The demo serves it, and tests
// look behind the gate with it.
//
// It answers as FastAPI on uvicorn does: POST /track takes an event payload
// and echoes profile and session, PUT /track says null and drops everything,
// /healthcheck echoes, and every other route, which a public listener must
// never reach, says {"reached": ...}. It is as touchy as the original: a body
// that is no JSON is 400, one without a source 422, "request": null is 500.
// And it closes a connection that was idle for 5 s, which is what loses events
// at a careless edge.
//
// It remembers the id of each event it accepted (Seen), so that a test can
// count what was lost and what came twice.
package standin
