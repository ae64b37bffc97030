package gitops

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// health is what a script answers.
type health struct{ status, message string }

// argo runs a health script as Argo CD does: with the libraries that it opens, and the
// object as the global obj. What it calls os is left out here: the script needs no clock.
func argo(t *testing.T, script string, object map[string]any) health {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	state.SetContext(t.Context())
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", luaValue(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	answer, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script answers a %s, and must answer a table", state.Get(-1).Type())
	}
	return health{status: answer.RawGetString("status").String(), message: answer.RawGetString("message").String()}
}

// luaValue is a value of JSON in Lua. Null is nil, as a field that is not there.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, of := range value {
			table.RawSetString(key, luaValue(state, of))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, of := range value {
			table.Append(luaValue(state, of))
		}
		return table
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	}
	return lua.LNil
}
