package nuget

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseFramework(t *testing.T) {
	tests := []struct{ name, in, want string }{ // any: "any"; refused: ""
		{"net8.0", "net8.0", "net8.0"},
		{"net10.0", "net10.0", "net10.0"},
		{"net10 is .NET Framework 1.0", "net10", "net10"},
		{"net50 is net5.0", "net50", "net5.0"},
		{"long net8.0", ".NETCoreApp,Version=v8.0", "net8.0"},
		{"platform", "net8.0-windows7.0", "net8.0-windows7.0"},
		{"platform without a version", "net8.0-Android", "net8.0-android"},
		{"platform with a long version", "net8.0-windows10.0.19041.0", "net8.0-windows10.0.19041"},
		{"platform in digits", "net6.0-ios15", "net6.0-ios15.0"},
		{"platform with version 0", "net6.0-ios0.0", "net6.0-ios"},
		{"netcoreapp", "netcoreapp3.1", "netcoreapp3.1"},
		{"netcoreapp in digits", "netcoreapp31", "netcoreapp3.1"},
		{"netcoreapp5.0", "netcoreapp5.0", "net5.0"},
		{"long netcoreapp", ".NETCoreApp,Version=v3.1", "netcoreapp3.1"},
		{"netstandard", "netstandard2.0", "netstandard2.0"},
		{"netstandard20", "netstandard20", "netstandard2.0"},
		{"netstandard without a version", "netstandard", "netstandard"},
		{"mixed netstandard", ".NETStandard2.0", "netstandard2.0"},
		{"long netstandard", ".NETStandard,Version=v2.0", "netstandard2.0"},
		{"net48", "net48", "net48"},
		{"net4.8", "net4.8", "net48"},
		{"net472 with dots", "net4.7.2", "net472"},
		{"net452 with a last 0", "net4.5.2.0", "net452"},
		{"net40", ".NETFramework,Version=v4.0", "net40"},
		{"version without a dot", ".NETFramework,Version=v4", "net40"},
		{"version without v", ".NETFramework, Version=4.5", "net45"},
		{"mixed net", ".NETFramework4.6.1", "net461"},
		{"client profile", ".NETFramework,Version=v4.0,Profile=Client", "net40-client"},
		{"profile first", ".NETFramework,Profile=Client,Version=v4.0", "net40-client"},
		{"short client profile", "net40-Client", "net40-client"},
		{"full profile", "net40-full", "net40"},
		{"compact framework", "net35-CompactFramework", "net35-cf"},
		{"other profile", "net45-custom", "net45-custom"},
		{"net without a version", "net", "net"},
		{"synonyms", "NETFramework45", "net45"},
		{"case", "NET45", "net45"},
		{"bare digits", "4.5", "net45"},
		{"Silverlight", "Silverlight,Version=v5.0", "sl5"},
		{"Silverlight of phones", "sl4-windowsphone71", "sl4-wp71"},
		{"Windows 8", "Windows8.0", "win8"},
		{"Windows 8.1", "win81", "win81"},
		{"Windows Phone", "WindowsPhoneApp,Version=v8.1", "wpa81"},
		{"UAP", "UAP,Version=v10.0", "uap10.0"},
		{"UAP with a build", "uap10.0.15063", "uap10.0.15063"},
		{"Xamarin", "Xamarin.iOS,Version=v1.0", "xamarinios10"},
		{"identifier with a digit", "Xamarin.PlayStation3,Version=v1.0", "xamarinpsthree10"},
		{"version of 0", "MonoAndroid0.0", "monoandroid"},
		{"MonoAndroid", "monoandroid90", "monoandroid90"},
		{"Tizen", "tizen40", "tizen40"},
		{"native", "native", "native"},
		{"dotnet", "dotnet5.4", "dotnet5.4"},
		{"nanoFramework", "netnano1.0", "netnano1.0"},
		{"portable", "portable-win8+net45", "portable-net45+win8"},
		{"portable, escaped", "portable-net45%2Bwin8%2bwp8", "portable-net45+win8+wp8"},
		{"portable, twice the same", "portable-net45+NET45+win80", "portable-net45+win8"},
		{"portable by number", ".NETPortable,Version=v4.5,Profile=Profile259", "portable45-net45+win8+wp8+wpa81"},
		{"portable by number, mixed", ".NETPortable0.0-Profile7", "portable-net45+win8"},
		{"more than four digits", "net45123", "net4512"},
		{"empty", "", "any"},
		{"blank", "  ", "any"},
		{"any", "Any", "any"},
		{"agnostic", "agnostic", "any"},
		{"any in the long form", "Any,Version=v0.0", "any"},
		{"white space", " net45\n", "net45"},
		{"unsupported", "unsupported", ""},
		{"unknown", "foo1.0", ""},
		{"unknown, long", "Foo,Version=v1.0", ""},
		{"comma alone", ",", ""},
		{"portable without frameworks", "portable", ""},
		{"portable with an unknown one", "portable-net45+foo", ""},
		{"portable with any", "portable-net45+any", ""},
		{"portable with a profile within", "portable-net40-client+win8", ""},
		{"portable with portable", "portable-portable-net45", ""},
		{"portable by unknown number", "portable-profile1", ""},
		{"portable 5", "portable50-net45+win8", ""},
		{"empty profile", "net45-", ""},
		{"text behind", "net45x", ""},
		{"platform of digits", "net8.0-7.0", ""},
		{"platform with a hyphen", "net8.0-windows-x", ""},
		{"three dots", "net4..5", ""},
		{"five numbers", "net4.5.1.2.3", ""},
		{"number too large", "net4.99999999999", ""},
		{"bad version, long", ".NETFramework,Version=vX", ""},
		{"slash", "net45/..", ""},
		{"slash in the long profile", ".NETFramework,Version=v4.0,Profile=a/b", ""},
		{"letter outside of ASCII", "nét45", ""},
		{"bad escape", "net%4", ""},
		{"NUL", "net45\x00", ""},
		{"long", "net45-" + strings.Repeat("a", 251), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParseFramework(tt.in)
			if tt.want == "" {
				if err == nil || registry.KindOf(err) != registry.Invalid {
					t.Fatalf("got %v, %v, want invalid", f, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != tt.want || f.IsAny() != (tt.want == "any") || f.IsAny() != (f.ShortName() == "") {
				t.Errorf("got %q, short name %q, any %v, want %q", got, f.ShortName(), f.IsAny(), tt.want)
			}
		})
	}
}

func TestFrameworkTables(t *testing.T) {
	for i := range frameworkNames {
		name := &frameworkNames[i]
		if findFramework(name.identifier) != name || findFramework(strings.ToUpper(name.folder)) != name {
			t.Errorf("%s or %s names another framework", name.identifier, name.folder)
		}
	}
	for number, list := range portableProfiles {
		f, err := ParseFramework("portable-" + list)
		if err != nil || f.ShortName() != "portable-"+list {
			t.Errorf("profile %s reads as %q, %v, want %q", number, f.ShortName(), err, list)
		}
	}
}

func FuzzParseFramework(f *testing.F) {
	for _, s := range []string{"net8.0-windows10.0.19041.0", ".NETFramework,Version=v4.0,Profile=Client", "portable-net45%2Bwin8", "portable45-Profile7", "uap10.0", "net40-full", "any", "sl4-wp71"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		framework, err := ParseFramework(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		short := framework.ShortName()
		if strings.ContainsAny(short, " /\\%,|:\x00") || short != strings.ToLower(short) {
			t.Errorf("%q has the short name %q", s, short)
		}
		again, err := ParseFramework(short)
		if err != nil || again != framework {
			t.Errorf("%q has the short name %q, which reads as %q, %v", s, short, again.ShortName(), err)
		}
	})
}
