package detect

import "strings"

// confusables maps letters of other scripts to the Latin letter that they are
// read as, beyond those in lookalikes. They are the single letters of Unicode's
// confusables.txt (UTS 39) that IDNA allows in a host name and that no
// compatibility decomposition folds, with small capitals and letters that have
// a hook or a bar added.
var confusables = confusable(
	"a ɑᗅꓮ𐊠𖽀ᴀ", "b ƅьᑲᖯᗷꓐꞵ𐊂𐊡𐌁ʙ", "c ᴄⲥꓚ𐊢𐌂𐐽𐔜", "d ᑯᗞᗪꓒꓓᴅ", "e ҽⴹꓰꬲ𐊆𑣆𑣎", "f ϝքᖴꓝꬵ𐊇𐊥𐔥𑣂ꜰ",
	"g ƍԍᶃꓖɢ", "h нһհᕼⲏꓧ𐋏ʜ", "i ꙇ𑣃", "j ʝϳᒍꓙᴊ", "k ᛕⲕꓗ𐔘ᴋ", "l ǀᒪᛁⲓⳑⵏꓡꓲ𐊊𐌉𐑃𐔦𑣒𖼖𖼨ʟ", "m ϻᗰᛖⲙꓟ𐊰𐌑",
	"n ռⲛꓠ𐔓ɴ", "o ഠဝჿዐᴑⲟⵔꬽ𐊒𐊫𐐬𐓪𐔖𑣈𑣕𑣗", "p ᑭⲣꓑ𐊕ᴘ", "q գզⵕ", "r ʀᖇᴦⲅꓣꭇꭈ𐓜𖼵", "s ƽտꓢꜱ𐊖𐑈𑣁𖼺",
	"b ɓ", "d ɖɗ", "g ɠ", "h ɦ", "k ƙ", "l ɫɬɭ", "m ɱ", "n ɲɳƞ", "p ƥ", "q ʠ", "r ɼɽɾ", "s ʂȿ", "t ʈƭȶ", "u ʉ", "v ⱱ", "w ⱳ", "y ƴ", "z ʐʑȥɀⱬ",
	"t ⲧꓔ𐊗𐊱𐌕𑣜𖼊", "u ʋሀᑌᴜꓴꞟꭎꭒ𐓶𑣘𖽂", "v ᐯᴠⴸꓦꛟ𐔝𑜆𑣀𖼈", "w ɯաᴡꓪ𑜊𑜎𑜏", "x ᕁᕽᚷⲭⵝꓫꭓ𐊐𐊴𐌗𐔧", "y ɣʏγүყᶌỿⲩꓬꭚ𐊲𑣄𖽃", "z ꓜ𑣉",
)

// confusable reads lines of a Latin letter, a blank and what looks like it.
func confusable(lines ...string) map[rune]rune {
	out := map[rune]rune{}
	for _, line := range lines {
		to, from, _ := strings.Cut(line, " ")
		for _, r := range from {
			out[r] = rune(to[0])
		}
	}
	return out
}

// latinFor is the Latin letter that a lower-case letter of another script is
// read as.
func latinFor(r rune) (rune, bool) {
	if to, ok := lookalikes[r]; ok {
		return to, true
	}
	to, ok := confusables[r]
	return to, ok
}
