package web

// AuthorColors are the colours by [Person.ColorIndex] on a light page, as
// #rrggbb. The server stamps them on presence, for clients that have no style
// sheet of ours; our own pages take the index and have a second set for dark.
var AuthorColors = [8]string{
	"#0b6e99", "#a33a00", "#5b3fb5", "#1a7340", "#b01657", "#7a5a00", "#2f4fb8", "#4d5563",
}
