"""Names that PowerShell has already: a class or a member of that name would hide something, or be hidden."""

TYPES = frozenset({
    "adsi", "adsisearcher", "alias", "allowemptycollection", "allowemptystring", "allownull", "argumentcompleter",
    "argumentcompletions", "array", "bigint", "bool", "byte", "char", "cimclass", "cimconverter", "ciminstance",
    "cimsession", "cimtype", "cmdletbinding", "cultureinfo", "datetime", "decimal", "double",
    "dsclocalconfigurationmanager",
    "dscproperty", "dscresource", "enum", "environment", "experimental", "experimentaction", "experimentalfeature",
    "float",
    "guid", "hashtable", "initialsessionstate", "int", "int16", "int32", "int64", "ipaddress", "ipendpoint", "long",
    "mailaddress", "math", "norunspaceaffinity", "nullstring", "object", "objectsecurity", "ordered", "outputtype",
    "parameter", "physicaladdress", "powershell", "psaliasproperty", "pscredential", "pscustomobject",
    "psdefaultvalue", "pslistmodifier", "psmoduleinfo", "psnoteproperty", "psobject", "psprimitivedictionary",
    "pspropertyexpression", "psscriptmethod", "psscriptproperty", "pstypenameattribute", "psvariable",
    "psvariableproperty", "ref", "regex", "runspace", "runspacefactory", "sbyte", "scriptblock", "securestring",
    "semver", "short", "single", "string", "supportswildcards", "switch", "system", "timespan", "type", "uint",
    "uint16",
    "uint32", "uint64", "ulong", "uri", "ushort", "validatecount", "validatedrive", "validatelength",
    "validatenotnull", "validatenotnullorempty", "validatenotnullorwhitespace", "validatepattern", "validaterange",
    "validatescript", "validateset", "validatetrusteddata", "validateuserdrive", "version", "void", "wmi", "wmiclass",
    "wmisearcher", "x500distinguishedname", "x509certificate", "xml",
})  # fmt: skip
"""The short names of types, in small letters."""

MEMBERS = frozenset({
    "_", "args", "equals", "false", "finalize", "foreach", "getenumerator", "gethashcode", "gettype", "input",
    "memberwiseclone", "null", "psadapted", "psbase", "psextended", "psitem", "psobject", "pstypenames",
    "referenceequals", "super", "this", "tostring", "true", "where",
})  # fmt: skip
"""What every object has, or what is always a variable, in small letters."""
