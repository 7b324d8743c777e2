// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/internal/credentials"
)

const (
	hidden   = "[redacted]"
	password = "hunter2-hunter2-hunter2"
)

// leaks tells whether a text shows the secret, in any form that package fmt
// has for it.
func leaks(text, secret string) bool {
	decimals := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	for _, form := range []string{
		secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		base64.StdEncoding.EncodeToString([]byte(secret)), decimals,
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// Structs that hold a secret in all the ways in which one can.
type (
	exported   struct{ Password credentials.Value }
	unexported struct{ password credentials.Value }
	keyed      struct{ values credentials.Values }
	embedding  struct{ credentials.Value }
	beside     struct {
		credentials.Value
		Name string
	}
	pointing   struct{ Password *credentials.Value }
	listing    struct{ passwords []credentials.Value }
	anything   struct{ value any }
	credential struct{ inner credentials.Credential }
	failure    struct{ password credentials.Value }
)

func (f failure) Error() string { return fmt.Sprintf("login with %v failed", f.password) }

// holders gives a secret in all these ways, by name.
func holders(secret string) map[string]any {
	value := credentials.NewValue(secret)
	values := credentials.Values{"password": value}
	whole := credentials.Credential{ID: "rostra-1", Values: values, ExpiresAt: time.Unix(0, 0)}
	return map[string]any{
		"a value":                         value,
		"a pointer":                       &value,
		"a pointer to a pointer":          new(&value),
		"values":                          values,
		"a pointer to values":             &values,
		"a slice":                         []credentials.Value{value},
		"an array":                        [1]credentials.Value{value},
		"a map":                           map[string]credentials.Value{"a": value},
		"a map by value":                  map[credentials.Value]string{value: "a"},
		"a map of anything":               map[string]any{"a": value, "b": &value},
		"a credential":                    whole,
		"a pointer to a credential":       &whole,
		"an exported field":               exported{value},
		"a pointer to an exported field":  &exported{value},
		"an unexported field":             unexported{value},
		"a pointer to an unexported one":  &unexported{value},
		"values in an unexported field":   keyed{values},
		"an embedded value":               embedding{value},
		"an embedded value beside others": beside{value, "maria"},
		"a field with a pointer":          pointing{&value},
		"an unexported slice":             listing{[]credentials.Value{value}},
		"an unexported interface":         anything{value},
		"an unexported credential":        credential{whole},
		"an error":                        failure{value},
		"an error that wraps":             fmt.Errorf("mint: %w", failure{value}),
		"several errors":                  errors.Join(failure{value}, errors.New("and another")),
		"a reflected value":               reflect.ValueOf(value),
	}
}

var _ = Describe("Value", func() {
	It("gives its content to who asks for it by name", func() {
		Expect(credentials.NewValue(password).Reveal()).To(Equal(password))
		Expect(credentials.Values{"password": credentials.NewValue(password)}.Get("password")).To(Equal(password))
		Expect(credentials.Values{}.Get("password")).To(BeEmpty())
		Expect(credentials.Values(nil).Get("password")).To(BeEmpty())
	})

	It("can be empty", func() {
		Expect(credentials.Value{}.IsEmpty()).To(BeTrue())
		Expect(credentials.Value{}.Reveal()).To(BeEmpty())
		Expect(credentials.NewValue("").IsEmpty()).To(BeTrue())
		Expect(credentials.NewValue(" ").IsEmpty()).To(BeFalse())
	})

	It("shows as redacted, empty or not, so that nobody learns even that", func() {
		for _, value := range []credentials.Value{{}, credentials.NewValue(""), credentials.NewValue(password)} {
			Expect(value.String()).To(Equal(hidden))
			Expect(value.GoString()).To(Equal(hidden))
			Expect(fmt.Sprintf("%v %+v %#v %s %q %x %X %d %t %5.2f %-20s", value, value, value, value, value, value, value, value, value, value, value)).
				To(Equal(strings.TrimSuffix(strings.Repeat(hidden+" ", 11), " ")))
			Expect(json.Marshal(value)).To(BeEquivalentTo(`"` + hidden + `"`))
		}
	})

	It("is the same as another of the same content, for tests and for maps of records", func() {
		Expect(reflect.DeepEqual(credentials.NewValue(password), credentials.NewValue(password))).To(BeTrue())
		Expect(reflect.DeepEqual(credentials.NewValue(password), credentials.NewValue("other"))).To(BeFalse())
	})

	It("is not read back from what was written of it", func() {
		var held exported
		Expect(json.Unmarshal([]byte(`{"Password":"`+password+`"}`), &held)).NotTo(Succeed())
		Expect(held.Password.IsEmpty()).To(BeTrue())
	})

	It("prints a nil pointer without falling over", func() {
		Expect(fmt.Sprintf("%v %+v %#v", (*credentials.Value)(nil), exported{}, pointing{})).NotTo(BeEmpty())
	})

	// Every letter, whether fmt knows it as a verb or not, with and without
	// flags.
	Describe("under every verb of package fmt", func() {
		for _, name := range slices.Sorted(maps.Keys(holders(password))) {
			It("hides "+name, func() {
				held := holders(password)[name]
				for _, flags := range []string{"", "+", "#", "-", " ", "0", "30", ".3", "+#", "# ", "-30.10"} {
					for letter := 'A'; letter <= 'z'; letter++ {
						format := "%" + flags + string(letter)
						printed := fmt.Sprintf(format, held)
						Expect(leaks(printed, password)).To(BeFalse(), "%q of %s", format, name)
					}
				}
			})
		}

		It("hides what is left over", func() {
			for _, format := range []string{"nothing to fill in", "%*d", "%.*f", "%[2]v", "%[3]v", "%!"} {
				Expect(leaks(fmt.Sprintf(format, credentials.NewValue(password), 1), password)).To(BeFalse(), format)
			}
		})
	})

	DescribeTable("hides whatever holds it from",
		func(write func(held any) string) {
			for name, held := range holders(password) {
				Expect(leaks(write(held), password)).To(BeFalse(), name)
			}
		},
		Entry("fmt.Print", func(held any) string { return fmt.Sprint(held) + fmt.Sprintln(held) }),
		Entry("errors", func(held any) string {
			err := fmt.Errorf("mint: %v: %w", held, errors.New("refused"))
			return err.Error() + fmt.Sprintf("%+v %#v", err, err)
		}),
		Entry("a panic that is told", func(held any) (told string) {
			defer func() { told = fmt.Sprint(recover()) }()
			panic(held)
		}),
		Entry("log", func(held any) string {
			var out bytes.Buffer
			log.New(&out, "", 0).Println(held)
			return out.String()
		}),
		Entry("slog in text", func(held any) string {
			var out bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&out, nil))
			logger.Info("mint", "held", held, slog.Any("again", held), slog.Group("group", "held", held))
			logger.With("held", held).WithGroup("deep").Info(fmt.Sprint(held), "list", []any{held})
			return out.String()
		}),
		Entry("slog in JSON", func(held any) string {
			var out bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&out, nil))
			logger.Info("mint", "held", held, slog.Any("again", held), slog.Group("group", "held", held))
			logger.With("held", held).WithGroup("deep").Info(fmt.Sprint(held), "list", []any{held})
			return out.String()
		}),
		Entry("logr", func(held any) string {
			var out strings.Builder
			for _, logger := range []func(func(string, string), funcr.Options){
				func(write func(string, string), options funcr.Options) {
					funcr.New(write, options).WithValues("held", held).Info("mint", "again", held)
				},
				func(write func(string, string), options funcr.Options) {
					funcr.NewJSON(func(obj string) { write("", obj) }, options).WithValues("held", held).Info("mint", "again", held)
				},
			} {
				logger(func(prefix, args string) { out.WriteString(prefix + args) }, funcr.Options{})
			}
			return out.String()
		}),
		Entry("JSON", func(held any) string {
			out, err := json.Marshal(held)
			return string(out) + fmt.Sprint(err)
		}),
		Entry("YAML", func(held any) string {
			out, err := yaml.Marshal(held)
			return string(out) + fmt.Sprint(err)
		}),
		Entry("XML", func(held any) string {
			out, err := xml.Marshal(held)
			return string(out) + fmt.Sprint(err)
		}),
		Entry("gob", func(held any) string {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(held)
			return out.String() + fmt.Sprint(err)
		}),
		Entry("templates", func(held any) string {
			var out strings.Builder
			err := template.Must(template.New("").Parse(`{{.}} {{printf "%v %#v" . .}}`)).Execute(&out, held)
			return out.String() + fmt.Sprint(err)
		}),
	)

	It("keeps the keys of Values in sight", func() {
		values := credentials.Values{"password": credentials.NewValue(password)}
		Expect(fmt.Sprintf("%v", values)).To(Equal("map[password:" + hidden + "]"))
		Expect(json.Marshal(values)).To(MatchJSON(`{"password":"` + hidden + `"}`))
		Expect(yaml.Marshal(values)).To(MatchYAML("password: '" + hidden + "'"))
	})

	It("hides any content at all", func() {
		formats := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%w", "%t", "%c", "%U", "%e", "%b", "%o"}
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			// Long enough not to be found in an address or a type's name.
			secret := rapid.StringN(16, 64, -1).Draw(t, "secret")
			for name, held := range holders(secret) {
				for _, format := range formats {
					if leaks(fmt.Sprintf(format, held), secret) {
						t.Fatalf("%s of %s", format, name)
					}
				}
			}
		})
	})
})
