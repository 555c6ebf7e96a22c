package configs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
)

// Load reads the settings in a file. env has the form of os.Environ. The error
// is Mistakes, or says why the file can't be read.
func Load(path string, env []string) (*Settings, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, env)
}

// Read returns what Parse is to be given of a file: one that is too long is cut behind
// what is allowed, for Parse to say so.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	defer file.Close() // only read
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return data, nil
}

// Parse reads settings from YAML. name is the file that mistakes tell, and its
// folder is where relative paths begin.
func Parse(name string, yaml []byte, env []string) (*Settings, error) {
	found := &ledger{}
	variables := splitVariables(env)
	root, ok := document{found, name}.read(yaml)
	if !ok {
		return nil, found.report()
	}
	expander{found, variables}.expand(root, "")
	environment{found, variables}.apply(root, reflect.TypeFor[draft]())

	read := decoder{found, map[string]*node{}}
	values, _ := read.section(root, "", reflect.TypeFor[draft]())
	written := newDraft(root.count("listeners"), root.count("pools"))
	if err := written.fill(values.(map[string]any)); err != nil {
		return nil, err
	}
	c := compiler{found, read.nodes, root, filepath.Dir(name)}
	settings := c.settings(written)
	if err := found.report(); err != nil {
		return nil, err
	}
	return settings, nil
}
