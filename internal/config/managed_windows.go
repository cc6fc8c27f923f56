package config

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// managedSource is the key that a group policy, or Intune with the ADMX file of
// installer/windows, writes. By the system's own rights only administrators can.
const managedSource = `HKLM\SOFTWARE\Policies\MeetGuard`

const policyKey = `SOFTWARE\Policies\MeetGuard`

func readManaged() managed {
	values, err := policyValues(registry.LOCAL_MACHINE, "", policyKey)
	if errors.Is(err, registry.ErrNotExist) {
		return managed{}
	}
	if err != nil {
		return managed{from: managedSource, err: fmt.Errorf("read managed settings: %w", err)}
	}
	return managed{from: managedSource, keys: fromPolicy(values)}
}

// policyValues reads the values of a key and, at the top, of the lists below it.
func policyValues(root registry.Key, list, path string) ([]policyValue, error) {
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE|registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil, err
	}
	var out []policyValue
	for _, name := range names {
		if name != "" { // the value without a name is the key's own
			out = append(out, policyValueOf(k, list, name))
		}
	}
	if list != "" {
		return out, nil
	}
	lists, err := k.ReadSubKeyNames(-1)
	if err != nil {
		return nil, err
	}
	for _, name := range lists {
		more, err := policyValues(root, name, path+`\`+name)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func policyValueOf(k registry.Key, list, name string) policyValue {
	v := policyValue{List: list, Name: name}
	if text, _, err := k.GetStringValue(name); err == nil {
		v.Kind, v.Text = "text", text
	} else if n, _, err := k.GetIntegerValue(name); err == nil {
		v.Kind, v.Int = "int", n
	} else if texts, _, err := k.GetStringsValue(name); err == nil {
		v.Kind, v.Texts = "texts", texts
	}
	return v
}
