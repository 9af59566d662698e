package docs

import (
	"math"
	"reflect"
	"slices"
	"strings"
)

// values is an object of JSON. Its keys are written in alphabetical order.
type values = map[string]any

// definitions returns the schemas of all types by their names.
func (m *model) definitions() values {
	definitions := values{}
	for _, o := range m.objects {
		definitions[o.name] = m.objectSchema(o)
	}
	for _, e := range m.enums {
		definitions[e.name] = e.schema()
	}
	return definitions
}

// draft is the version of JSON Schema.
const draft = "https://json-schema.org/draft/2020-12/schema"

// schema returns the JSON Schema of a document that consists of the first root.
func (m *model) schema() values {
	return values{
		"$schema":     draft,
		"title":       "The kernel's network state",
		"description": "Generated from the types of package state; docs/state.md describes the same for people. A change, as monitor prints it, is #/$defs/Change.",
		"$ref":        "#/$defs/" + m.objects[0].name,
		"$defs":       m.definitions(),
	}
}

func (m *model) objectSchema(o *object) values {
	properties, required := values{}, []string{}
	for _, f := range o.fields {
		property := m.typeSchema(f.of)
		if slices.Contains(m.mayBeEmpty, o.name+"."+f.key) {
			property = values{"anyOf": []any{property, values{"const": ""}}}
		}
		if f.null {
			property = values{"anyOf": []any{property, values{"type": "null"}}}
		}
		if f.doc != "" {
			property["description"] = f.doc
		}
		properties[f.key] = property
		if f.always {
			required = append(required, f.key)
		}
	}
	schema := values{"type": "object", "properties": properties, "additionalProperties": true}
	if len(required) > 0 {
		schema["required"] = required
	}
	if len(o.docs) > 0 {
		schema["description"] = strings.Join(o.docs, " ")
	}
	return schema
}

func (m *model) typeSchema(t reflect.Type) values {
	if form, ok := m.texts[t]; ok {
		schema := values{"type": form.kind}
		if form.pattern != "" {
			schema["pattern"] = form.pattern
		}
		return schema
	}
	if e := m.enum(t); e != nil {
		return values{"$ref": "#/$defs/" + e.name}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.typeSchema(t.Elem())
	case reflect.Struct:
		return values{"$ref": "#/$defs/" + m.object(t).name}
	case reflect.Slice:
		return values{"type": "array", "items": m.typeSchema(t.Elem())}
	case reflect.Array:
		return values{"type": "array", "items": m.typeSchema(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return values{"type": "object", "additionalProperties": m.typeSchema(t.Elem())}
	case reflect.Bool:
		return values{"type": "boolean"}
	case reflect.String:
		return values{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return values{"type": "number"}
	}
	return integerSchema(t)
}

// integerSchema returns the limits of a number, except for 64 bits, which few
// programs can represent.
func integerSchema(t reflect.Type) values {
	schema := values{"type": "integer"}
	switch bits := t.Bits(); {
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr:
		schema["minimum"] = 0
		if bits < 64 {
			schema["maximum"] = uint64(math.MaxUint64) >> (64 - bits)
		}
	case bits < 64:
		schema["minimum"] = -(int64(1) << (bits - 1))
		schema["maximum"] = int64(1)<<(bits-1) - 1
	}
	return schema
}

func (e *enumeration) schema() values {
	var words []string
	for _, w := range e.words {
		words = append(words, w.text)
	}
	one := values{"type": "string", "enum": words}
	if e.open {
		one = values{"type": "string", "anyOf": []any{values{"enum": words}, values{"pattern": "^[0-9]+$"}}}
	}
	if e.name == "IfaceType" {
		other := values{
			"type": "object", "required": []string{"other"}, "additionalProperties": true,
			"properties": values{"other": values{"type": "string", "minLength": 1}},
		}
		one = values{"anyOf": []any{values{"type": "string", "enum": words}, other}}
	}
	if e.list {
		one = values{"type": "array", "items": one}
	}
	if e.doc != "" {
		one["description"] = e.doc
	}
	return one
}
