package script

import (
	"bytes"
	"unicode/utf8"
)

// tongue is a set of command languages.
type tongue uint8

const (
	shellTongue tongue = 1 << iota
	appleTongue
	powerTongue
	batchTongue
	vbTongue
	pyTongue
	jsTongue
	tongues = 7
)

func (t tongue) language() string {
	switch t {
	case shellTongue:
		return langShell
	case appleTongue:
		return langAppleScript
	case powerTongue:
		return langPowerShell
	case batchTongue:
		return langBatch
	case vbTongue:
		return langVBScript
	case pyTongue:
		return langPython
	}
	return langJScript
}

// census counts in how many lines of a text a language could be speaking.
type census struct {
	lines   int // that are neither blank nor comments
	any     [tongues]int
	strong  [tongues]int // lines that hardly mean anything else
	foreign bool         // a line that no script has
	target  bool         // the line before could name a target of a makefile
}

func (c *census) verdict(percent int) string {
	if c.foreign || c.lines == 0 {
		return ""
	}
	best, score := -1, 0
	for i := range c.any {
		if s := c.any[i] + 2*c.strong[i]; c.strong[i] > 0 && s > score {
			best, score = i, s
		}
	}
	if best < 0 || c.any[best]*100 < c.lines*percent {
		return ""
	}
	return tongue(1 << best).language()
}

func (c *census) line(line []byte) {
	recipe := c.target && len(line) > 1 && line[0] == '\t'
	line = trimBlank(line)
	if len(line) == 0 || isCommentLine(line) {
		return
	}
	c.lines++
	if recipe || isForeign(line) {
		c.foreign = true
		return
	}
	c.target = isTarget(firstWord(line))
	anyOf, strong := speaks(line)
	for i := range tongues {
		if anyOf&(1<<i) != 0 {
			c.any[i]++
		}
		if strong&(1<<i) != 0 {
			c.strong[i]++
		}
	}
}

// trimBlank cuts blanks of any kind off both ends.
func trimBlank(line []byte) []byte {
	line = bytes.Trim(line, " \t\r\v\f\x00")
	if len(line) > 0 && (line[0] >= utf8.RuneSelf || line[len(line)-1] >= utf8.RuneSelf) {
		return bytes.TrimFunc(line, func(r rune) bool { return isBlankRune(r) || isInvisible(r) || r == 0xca || r == utf8.RuneError })
	}
	return line
}

// isCommentLine holds for the comments of the command languages.
func isCommentLine(line []byte) bool {
	switch line[0] {
	case '#':
		return !bytes.HasPrefix(line, []byte("#include")) && !bytes.HasPrefix(line, []byte("#define")) && !bytes.HasPrefix(line, []byte("#ifndef")) && !bytes.HasPrefix(line, []byte("#if"))
	case '\'':
		return !bytes.ContainsAny(line[1:], "'")
	case '-':
		return len(line) > 1 && line[1] == '-'
	case ':':
		return len(line) > 1 && line[1] == ':'
	case '(':
		return len(line) > 1 && line[1] == '*'
	case '<':
		return len(line) > 1 && line[1] == '#'
	case '*':
		return len(line) == 2 && line[1] == ')'
	}
	return len(line) >= 3 && (line[0]|0x20) == 'r' && (line[1]|0x20) == 'e' && (line[2]|0x20) == 'm' && (len(line) == 3 || line[3] == ' ')
}

// isForeign holds for lines that recipes, source code and patches open with.
func isForeign(line []byte) bool {
	for _, p := range foreignStarts {
		if len(line) >= len(p) && line[0] == p[0] && string(line[:len(p)]) == p {
			return true
		}
	}
	return false
}

var foreignStarts = []string{
	".PHONY", "FROM ", "#include", "#define", "#if", "package ", "<?php", "<!DOCTYPE", "<!doctype", "<html", "<?xml", "diff --git",
	"use strict", "module.exports", "cmake_minimum", "include $(", "apiVersion:", "ifeq", "ifdef", "/*", "//", "===", "```", ".. ", ".TH ",
}

// speaks returns the languages in which line may be a statement, and those in
// which it hardly can be anything else.
func speaks(line []byte) (anyOf, strong tongue) {
	word := firstWord(line)
	rest := trimBlank(line[len(word):])
	if isProse(line) {
		return 0, 0
	}
	anyOf, strong = wordSpeaks(word, rest)
	a, s := shapeSpeaks(line, word, rest)
	return anyOf | a | s | strong, strong | s
}

// firstWord is what a statement begins with.
func firstWord(line []byte) []byte {
	for i, c := range line {
		if c <= ' ' || c == '(' && i > 0 || c == ';' || c == '|' || c == '"' && i > 0 || c == '=' {
			return line[:i]
		}
	}
	return line
}

// isProse holds for sentences: many words without the signs of code.
func isProse(line []byte) bool {
	last := line[len(line)-1]
	if last != '.' && last != ',' && last != ':' && last != '!' && last != '?' {
		return false
	}
	return bytes.Count(line, []byte(" ")) >= 4 && !bytes.ContainsAny(line, "$|\"&;={}")
}

// isTarget holds for "name:", which opens a recipe in a makefile.
func isTarget(word []byte) bool {
	n := len(word) - 1
	if n < 1 || word[n] != ':' {
		return false
	}
	switch string(word) {
	case "try:", "else:", "finally:", "except:", "default:":
		return false
	}
	return true
}
