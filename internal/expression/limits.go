package expression

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
)

const (
	// maxTextTaken and maxTextMade are bytes.
	maxTextTaken = 64 << 10
	maxTextMade  = 256 << 10
	maxElements  = 16 << 10
	maxDepth     = 64

	// A unit of work pays for so many bytes copied or decoded, steps of a search, characters that one state
	// of a pattern sees, and elements copied.
	bytesPerUnit    = 16
	stepsPerUnit    = 64
	statesPerUnit   = 8
	elementsPerUnit = 8
)

// guards has the functions whose work or result is not in proportion to their arguments, and those that take more than
// texts. All others are plain.
var guards = map[string]guard{
	operators.Add:             addition,
	operators.Equals:          comparison,
	operators.NotEquals:       comparison,
	operators.Less:            comparison,
	operators.LessEquals:      comparison,
	operators.Greater:         comparison,
	operators.GreaterEquals:   comparison,
	operators.In:              membership,
	overloads.Size:            counting,
	overloads.Matches:         match,
	"indexOf":                 search,
	"lastIndexOf":             search,
	"replace":                 replacement,
	"split":                   partition,
	"join":                    junction,
	"format":                  formatted,
	"unwrapOpt":               comparison,
	"optional.unwrap":         comparison,
	"hasValue":                comparison,
	callToJSON:                writing,
	callGet:                   free,
	callFind:                  free,
	callHas:                   free,
	callOptional:              free,
	callChoice:                free,
	callTruth:                 free,
	callRange:                 free,
	overloads.TypeConvertDyn:  free,
	overloads.TypeConvertType: free,
	"optional.of":             free,
	"value":                   free,
	"first":                   free,
	"last":                    free,
}

// tolerant has the functions that make something of null even where null means absent.
var tolerant = map[string]bool{
	operators.Equals:          true,
	operators.NotEquals:       true,
	operators.In:              true,
	callGet:                   true,
	callFind:                  true,
	callHas:                   true,
	callOptional:              true,
	callChoice:                true,
	callTruth:                 true,
	callRange:                 true,
	overloads.TypeConvertDyn:  true,
	overloads.TypeConvertType: true,
	"optional.of":             true,
	"optional.ofNonZeroValue": true,
	"hasValue":                true,
}
