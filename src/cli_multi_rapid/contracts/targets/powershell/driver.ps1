#requires -Version 7.4
# Reads documents from a file, and writes for each the document again, or why not, to another file.
# A request is the number of its bytes, a newline, and the bytes; an answer is a line "OK json" or "ERR place<tab>reason".

param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [string] $Requests,
    [Parameter(Mandatory)] [string] $Answers
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

function Get-Fault {
    # Returns the exception of the module, which PowerShell may have wrapped; null for any other.
    param([System.Exception] $Exception)
    $fault = $Exception
    while ($null -ne $fault -and -not $fault.Data.Contains('Pointer')) {
        $fault = $fault.InnerException
    }
    return $fault
}

function Format-Line {
    param([string] $Text)
    return [regex]::Replace($Text, '[\p{Cc}\p{Cs}\u2028\u2029]', '?')
}

function Get-Answer {
    param([string] $Text)
    try {
        $value = & "ConvertFrom-${Name}Json" -Json $Text
    }
    catch {
        $fault = Get-Fault -Exception $_.Exception
        if ($null -eq $fault) {
            throw
        }
        $place = '#' + (Format-Line -Text $fault.Data['Pointer'])
        if ($fault.Data.Contains('Line')) {
            $place += " line $($fault.Data['Line']) byte $($fault.Data['Byte'])"
        }
        return "ERR $place`t" + (Format-Line -Text $fault.Data['Reason'])
    }
    # What was read can be written, or the generator has a bug.
    return 'OK ' + (& "ConvertTo-${Name}Json" -InputObject $value)
}

Import-Module -Name $Module
$utf8 = [System.Text.UTF8Encoding]::new($false, $true)
$bytes = [System.IO.File]::ReadAllBytes($Requests)
$target = [System.IO.File]::Create($Answers)
try {
    $at = 0
    while ($at -lt $bytes.Length) {
        $end = [array]::IndexOf($bytes, [byte] 10, $at)
        $size = [int] $utf8.GetString($bytes, $at, $end - $at)
        $at = $end + 1 + $size
        try {
            $text = $utf8.GetString($bytes, $end + 1, $size)
            $answer = Get-Answer -Text $text
        }
        catch [System.Text.DecoderFallbackException] {
            $answer = "ERR #`tthis is not UTF-8"
        }
        $line = $utf8.GetBytes("$answer`n")
        $target.Write($line, 0, $line.Length)
    }
}
finally {
    $target.Dispose()
}
