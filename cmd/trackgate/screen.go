package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"unicode/utf8"

	"golang.org/x/term"
)

// What a terminal is told (ECMA-48, and xterm's second screen).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // without a cursor, and no line goes on in the next
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	toTheTop    = "\x1b[H"
	restOfLine  = "\x1b[K" // is made empty
	restOfAll   = "\x1b[J"
	inBold      = "\x1b[1m"
	inRed       = "\x1b[31m"
	asUsual     = "\x1b[0m"
)

// screen is a terminal with a look on it.
type screen struct {
	out     *os.File
	colored bool

	mu   sync.Mutex
	last *look // nil: none was shown yet
}

// show puts a look in the place of the one before.
func (s *screen) show(l *look) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = l
	return s.draw()
}

// draw shows the last look.
func (s *screen) draw() error {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || s.last == nil {
		return err
	}
	_, err = io.WriteString(s.out, s.last.frame(width, height, s.colored))
	return err
}

// follow draws anew, from now on until ctx ends, when the terminal has another size.
func (s *screen) follow(ctx context.Context) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go s.redraw(ctx, resized)
}

func (s *screen) redraw(ctx context.Context, resized chan os.Signal) {
	defer signal.Stop(resized)
	for {
		select {
		case <-resized:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		s.draw() //nolint:errcheck // the next look fails as well
		s.mu.Unlock()
	}
}

// line is a line of a screen, and how it looks.
type line struct {
	text      string
	bold, bad bool
}

// section is a part of a screen: some lines, or a table.
type section struct {
	lines []line
	title []string
	rows  [][]string
}

// shown are its lines with at most so many rows, and an empty one above a table. A table
// without rows is not shown.
func (s section) shown(most int) []line {
	if len(s.rows) == 0 {
		return s.lines
	}
	rows := s.rows[:min(most, len(s.rows))]
	widths := make([]int, len(s.title))
	for _, row := range append([][]string{s.title}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(clean(cell)))
		}
	}
	lines := append(s.lines, line{}, line{text: aligned(s.title, widths), bold: true})
	for _, row := range rows {
		lines = append(lines, line{text: aligned(row, widths), bad: isBad(row)})
	}
	return lines
}

// isBad reports whether a row tells of something that is down.
func isBad(row []string) bool {
	for _, cell := range row {
		if cell == "down" || strings.HasPrefix(cell, "down, ") {
			return true
		}
	}
	return false
}

// aligned puts cells side by side.
func aligned(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = clean(cell)
		b.WriteString(cell)
		b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
	}
	return strings.TrimRight(b.String(), " ")
}

// clean makes text harmless: a path comes from a client, who may know what a terminal can
// be told, or which characters are two cells wide there, or none. What it leaves is one
// each: ASCII, the µ of durations, and bars.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case ' ' <= r && r <= '~', r == 'µ', '▁' <= r && r <= '█':
			return r
		}
		return '·'
	}, text)
}

// frame is the look as a terminal of this size is told it.
func (l *look) frame(width, height int, colored bool) string {
	lines := fitting(l.sections(), height)
	var b strings.Builder
	b.WriteString(toTheTop)
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(restOfLine) // first: behind a line that is full it would take its last character
		b.WriteString(line.painted(width, colored))
	}
	b.WriteString(restOfAll)
	return b.String()
}

// fitting are the sections with as many rows of each as there is room for, and no more
// lines than that.
func fitting(sections []section, height int) []line {
	for most := height; ; most-- {
		var lines []line
		for _, s := range sections {
			lines = append(lines, s.shown(most)...)
		}
		if len(lines) <= height || most <= 1 {
			return lines[:min(len(lines), height)]
		}
	}
}

// painted cuts a line to a width and says how it looks.
func (l line) painted(width int, colored bool) string {
	runes := []rune(clean(l.text))
	text := string(runes[:min(len(runes), width)])
	if !colored || text == "" {
		return text
	}
	switch {
	case l.bad:
		return inRed + text + asUsual
	case l.bold:
		return inBold + text + asUsual
	}
	return text
}
