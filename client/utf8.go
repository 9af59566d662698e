package client

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// notUTF8 refuses parameters that contain a string which is not UTF-8. JSON would
// change such a string, and the daemon would save a passphrase that the user never
// typed.
func notUTF8(params any) error {
	name, found := firstNotUTF8(reflect.ValueOf(params), "")
	switch {
	case !found:
		return nil
	case name == "psk":
		return &Error{Code: CodeBadRequest, Message: "psk is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them), " +
			"or change it to ASCII where the network has WPA3 only"}
	}
	return &Error{Code: CodeBadRequest, Message: name + " is not UTF-8; write it in UTF-8, or change it to ASCII"}
}

// firstNotUTF8 returns the name of the first such string as JSON has it:
// "eap.password".
func firstNotUTF8(v reflect.Value, name string) (string, bool) {
	switch v.Kind() {
	case reflect.String:
		return name, !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return firstNotUTF8(v.Elem(), name)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if name, found := firstNotUTF8(v.Index(i), name); found {
				return name, true
			}
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			if name, found := firstNotUTF8(value, within(name, key.String())); found {
				return name, true
			}
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",") // "": the field is embedded
			if name, found := firstNotUTF8(value, within(name, key)); found {
				return name, true
			}
		}
	}
	return "", false
}

// within returns the full name of a member, also of one without a name before it.
func within(name, member string) string { return strings.Trim(name+"."+member, ".") }
