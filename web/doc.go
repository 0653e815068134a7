// Package web is what people see: templ pages with the view structs that feed
// them, and the built scripts and styles, embedded.
//
// A page is a component that takes one view struct and fetches nothing, so a
// handler reads, decides and authorises, fills a struct, and renders. Every
// page works without JavaScript but for live editing; scripts only add to it.
// Nothing here needs an inline script, an inline style or eval.
//
// The component templates are in *.templ and generated into *_templ.go; the
// scripts and styles are in src and built into dist:
//
//	go tool -modfile=tools.mod templ generate -path web
//	go run ./web/build
package web
