package docs

import (
	"fmt"
	"reflect"
	"strings"
)

// page returns the generated part of state.md.
func (m *model) page() string {
	var b strings.Builder
	for _, o := range m.objects {
		m.writeObject(&b, o)
	}
	b.WriteString("\n## Words\n\nAn enumeration is a word, flags are a list of words. What has no word in this version, since the kernel is newer, is the kernel's number in decimal, as text.\n")
	for _, e := range m.enums {
		e.write(&b)
	}
	return b.String()
}

func (m *model) writeObject(b *strings.Builder, o *object) {
	fmt.Fprintf(b, "\n### %s\n\n", o.name)
	if o.path != "" {
		fmt.Fprintf(b, "At `%s`. ", o.path)
	}
	fmt.Fprintf(b, "%s\n\n| key | type | there | unit and meaning |\n|---|---|---|---|\n", escape(strings.Join(o.docs, " ")))
	for _, f := range o.fields {
		presence := "optional"
		if f.always {
			presence = "always"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.key, m.typeText(f.of), presence, escape(f.doc))
	}
}

func (m *model) typeText(t reflect.Type) string {
	if form, ok := m.texts[t]; ok {
		return form.text
	}
	if e := m.enum(t); e != nil {
		return link(e.name)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.typeText(t.Elem())
	case reflect.Struct:
		return link(m.object(t).name)
	case reflect.Slice:
		return "list of " + m.typeText(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("list of %d: %s", t.Len(), m.typeText(t.Elem()))
	case reflect.Map:
		return "object: of each name " + m.typeText(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "text"
	}
	return "number"
}

func (e *enumeration) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n", e.name)
	if e.doc != "" {
		fmt.Fprintf(b, "%s\n\n", escape(e.doc))
	}
	if e.list {
		b.WriteString("A list of ")
	}
	for i, w := range e.words {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "`%s`", w.text)
		if w.doc != "" {
			fmt.Fprintf(b, " (%s)", escape(w.doc))
		}
	}
	b.WriteString("\n")
}

func link(name string) string { return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name)) }

// escape escapes text for a table.
func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`).Replace(text)
}
