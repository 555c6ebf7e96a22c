package configs

import _ "embed" // for the two files

//go:embed reference.yaml
var reference string

//go:embed trackgate.schema.json
var schema string

// Reference returns the settings file that has every key, its default and what
// it means.
func Reference() string { return reference }

// Schema returns the JSON Schema (draft 2020-12) of the settings, with which
// editors complete and check them.
func Schema() string { return schema }
