rule SUSP_ClickFix_Meeting_Page
{
    meta:
        description = "Page that has the visitor paste a command to repair a meeting"
        author = "blue team of an example company"
    strings:
        $a = "navigator.clipboard.writeText" ascii
        $b = "mshta http" ascii
        $c = "powershell -w hidden" ascii nocase
        $d = /Windows\s*\+\s*R/ ascii
    condition:
        filesize < 200KB and $a and $d and ($b or $c)
}
