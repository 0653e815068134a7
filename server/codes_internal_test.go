package server

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// TestPictureIsTheCode: every module is where the code has it, and no other.
func TestPictureIsTheCode(t *testing.T) {
	const text = "otpauth://totp/Tidechart:chen?algorithm=SHA1&digits=6&issuer=Tidechart&period=30&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	picture, err := qrCode(text)
	if err != nil {
		t.Fatal(err)
	}
	drawn := make(map[[2]int]bool)
	for run := range strings.SplitSeq(strings.TrimSuffix(picture.Path, "z"), "z") {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back || n < 1 {
			t.Fatalf("%q: %v", run, err)
		}
		for i := range n {
			drawn[[2]int{x + i, y}] = true
		}
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	for y := range picture.Size {
		for x := range picture.Size {
			if dark := code.At(x, y) == color.Black; dark != drawn[[2]int{x, y}] {
				t.Errorf("module %d,%d: dark %v, drawn %v", x, y, dark, !dark)
			}
		}
	}
	if len(drawn) == 0 {
		t.Error("nothing is drawn")
	}
}
