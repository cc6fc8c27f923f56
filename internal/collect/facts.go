package collect

// field is a value of a record that becomes a column.
type field int

// Fields of a record, by where they stand.
const (
	noField field = iota
	fieldClass
	fieldTime
	fieldSeverity
	fieldUID       // metadata.uid
	fieldFindingID // finding_info.uid
	fieldLanded    // finding_info.first_seen_time
	fieldHostname  // device.hostname
	fieldLevel     // unmapped.mg_level, and so on
	fieldBrand
	fieldRule
	fieldScore
	fieldPath
	fieldSHA256
	fieldUser
	fieldHost
	fieldSigner
	fieldSeq
	fieldPrev
	fieldAbout
	fields
)

// topField is the field of a key of the record itself.
func topField(key string) field {
	switch key {
	case "class_uid":
		return fieldClass
	case "time":
		return fieldTime
	case "severity_id":
		return fieldSeverity
	}
	return noField
}

// group is an object of a record that fields are taken from.
type group struct {
	first, last field // of those in it
	of          func(key string) field
}

// groupOf is the group of an object's name; one without fields has no of.
func groupOf(object string) group {
	switch object {
	case "metadata":
		return group{fieldUID, fieldUID, func(key string) field { return only(key, "uid", fieldUID) }}
	case "device":
		return group{fieldHostname, fieldHostname, func(key string) field { return only(key, "hostname", fieldHostname) }}
	case "finding_info":
		return group{fieldFindingID, fieldLanded, findingField}
	case "unmapped":
		return group{fieldLevel, fieldAbout, flatField}
	}
	return group{}
}

func only(key, name string, f field) field {
	if key == name {
		return f
	}
	return noField
}

func findingField(key string) field {
	switch key {
	case "uid":
		return fieldFindingID
	case "first_seen_time":
		return fieldLanded
	}
	return noField
}

func flatField(key string) field {
	switch key {
	case "mg_level":
		return fieldLevel
	case "mg_brand":
		return fieldBrand
	case "mg_rule":
		return fieldRule
	case "mg_score":
		return fieldScore
	case "mg_path":
		return fieldPath
	case "mg_sha256":
		return fieldSHA256
	case "mg_user":
		return fieldUser
	case "mg_source_host":
		return fieldHost
	case "mg_signer":
		return fieldSigner
	case "mg_seq":
		return fieldSeq
	case "mg_prev":
		return fieldPrev
	case "mg_about":
		return fieldAbout
	}
	return noField
}

// facts are the values of a record that become columns, as they are written: a
// key that stands there twice counts the last time, as when it is decoded.
type facts [fields][]byte

// pick reads the facts of a record; false if it is not one JSON object.
func pick(record []byte) (*facts, bool) {
	f := &facts{}
	s := scanner{text: record}
	err := s.object(func(written, value []byte) error {
		key := keyOf(written)
		f[topField(key)] = value
		if g := groupOf(key); g.of != nil {
			f.pickIn(value, g)
		}
		return nil
	})
	return f, err == nil && s.rest()
}

// pickIn takes the fields of an object, in the place of those of an object of the
// same name before it. A value that is no object has none.
func (f *facts) pickIn(value []byte, g group) {
	clear(f[g.first : g.last+1])
	s := scanner{text: value}
	_ = s.object(func(written, value []byte) error { // valid, or no object
		f[g.of(keyOf(written))] = value
		return nil
	})
}

func (f *facts) text(of field) string   { return textOf(f[of]) }
func (f *facts) number(of field) string { return numberOf(f[of]) }

// column is the text of a field, fit for a column.
func (f *facts) column(of field, limit int) string { return column(f.text(of), limit) }
