package configs

import "strings"

// nearest returns the choice that word was perhaps meant to be, or "" where
// none is near. Case and the choice between - and _ do not count.
func nearest(word string, choices []string) string {
	plain := strings.ReplaceAll(strings.ToLower(word), "-", "_")
	if len(plain) > 64 {
		return ""
	}
	best, distance := "", len(plain)/3+1
	for _, choice := range choices {
		if choice == word {
			continue
		}
		near := strings.ReplaceAll(strings.ToLower(choice), "-", "_")
		d := edits(plain, near)
		if len(plain) > 1 && (strings.HasPrefix(near, plain) || strings.HasPrefix(plain, near)) {
			d = 1
		}
		if d < distance {
			best, distance = choice, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b (optimal string alignment).
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+unequal(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func unequal(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
