package nuget

import "strings"

// frameworkName is a framework that clients know, without its version.
type frameworkName struct {
	folder     string // its name in folders
	identifier string // its name in the long form
	dotted     bool   // its version always has dots in folders
	oneDigit   bool   // its version may be one digit in folders
	profiles   map[string]string
}

// frameworkNames are the frameworks of NuGet 2.x to 7.x, without those that are
// none: any and unsupported.
var frameworkNames = []frameworkName{
	{folder: "net", identifier: ".NETFramework", profiles: map[string]string{"compactframework": "cf", "full": ""}},
	{folder: "netcoreapp", identifier: ".NETCoreApp", dotted: true},
	{folder: "netstandard", identifier: ".NETStandard", dotted: true},
	{folder: "netstandardapp", identifier: ".NETStandardApp", dotted: true},
	{folder: "dotnet", identifier: ".NETPlatform", dotted: true},
	{folder: "portable", identifier: ".NETPortable"},
	{folder: "netcore", identifier: ".NETCore"},
	{folder: "netmf", identifier: ".NETMicroFramework"},
	{folder: "netnano", identifier: ".NETnanoFramework", dotted: true},
	{folder: "sl", identifier: "Silverlight", oneDigit: true, profiles: map[string]string{"windowsphone": "wp", "windowsphone71": "wp71"}},
	{folder: "wp", identifier: "WindowsPhone", oneDigit: true},
	{folder: "wpa", identifier: "WindowsPhoneApp"},
	{folder: "win", identifier: "Windows", oneDigit: true},
	{folder: "winrt", identifier: "WinRT"},
	{folder: "uap", identifier: "UAP"},
	{folder: "aspnet", identifier: "ASP.NET"},
	{folder: "aspnetcore", identifier: "ASP.NETCore"},
	{folder: "dnx", identifier: "DNX"},
	{folder: "dnxcore", identifier: "DNXCore"},
	{folder: "native", identifier: "native"},
	{folder: "tizen", identifier: "Tizen"},
	{folder: "monoandroid", identifier: "MonoAndroid"},
	{folder: "monotouch", identifier: "MonoTouch"},
	{folder: "monomac", identifier: "MonoMac"},
	{folder: "xamarinios", identifier: "Xamarin.iOS"},
	{folder: "xamarinmac", identifier: "Xamarin.Mac"},
	{folder: "xamarinwatchos", identifier: "Xamarin.WatchOS"},
	{folder: "xamarintvos", identifier: "Xamarin.TVOS"},
	{folder: "xamarinpsthree", identifier: "Xamarin.PlayStation3"},
	{folder: "xamarinpsfour", identifier: "Xamarin.PlayStation4"},
	{folder: "xamarinpsvita", identifier: "Xamarin.PlayStationVita"},
	{folder: "xamarinxboxthreesixty", identifier: "Xamarin.Xbox360"},
	{folder: "xamarinxboxone", identifier: "Xamarin.XboxOne"},
}

// frameworkSynonyms are further spellings that clients read, to folder names.
// Identifiers with a digit cannot stand before a version without a comma.
var frameworkSynonyms = map[string]string{
	".net":                     "net",
	"netframework":             "net",
	"netportable":              "portable",
	"xamarin.playstationthree": "xamarinpsthree",
	"xamarinplaystationthree":  "xamarinpsthree",
	"xamarin.playstationfour":  "xamarinpsfour",
	"xamarinplaystationfour":   "xamarinpsfour",
	"xamarinplaystationvita":   "xamarinpsvita",
}

var frameworksByName = indexFrameworks()

func indexFrameworks() map[string]*frameworkName {
	index := map[string]*frameworkName{}
	for i := range frameworkNames {
		f := &frameworkNames[i]
		index[f.folder] = f
		index[strings.ToLower(f.identifier)] = f
	}
	for synonym, folder := range frameworkSynonyms {
		index[synonym] = index[folder]
	}
	return index
}

// findFramework gives nil when clients know no framework of the name.
func findFramework(name string) *frameworkName { return frameworksByName[strings.ToLower(name)] }

// portableProfiles are the frameworks that a portable library of a numbered
// profile runs on. Visual Studio made no others.
var portableProfiles = map[string]string{
	"2": "net40+sl4+win8+wp7", "3": "net40+sl4", "4": "net45+sl4+win8+wp7", "5": "net40+win8", "6": "net403+win8",
	"7": "net45+win8", "14": "net40+sl5", "18": "net403+sl4", "19": "net403+sl5", "23": "net45+sl4", "24": "net45+sl5",
	"31": "win81+wp81", "32": "win81+wpa81", "36": "net40+sl4+win8+wp8", "37": "net40+sl5+win8", "41": "net403+sl4+win8",
	"42": "net403+sl5+win8", "44": "net451+win81", "46": "net45+sl4+win8", "47": "net45+sl5+win8", "49": "net45+wp8",
	"78": "net45+win8+wp8", "84": "wp81+wpa81", "88": "net40+sl4+win8+wp75", "92": "net40+win8+wpa81",
	"95": "net403+sl4+win8+wp7", "96": "net403+sl4+win8+wp75", "102": "net403+win8+wpa81", "104": "net45+sl4+win8+wp75",
	"111": "net45+win8+wpa81", "136": "net40+sl5+win8+wp8", "143": "net403+sl4+win8+wp8", "147": "net403+sl5+win8+wp8",
	"151": "net451+win81+wpa81", "154": "net45+sl4+win8+wp8", "157": "win81+wp81+wpa81", "158": "net45+sl5+win8+wp8",
	"225": "net40+sl5+win8+wpa81", "240": "net403+sl5+win8+wpa81", "255": "net45+sl5+win8+wpa81",
	"259": "net45+win8+wp8+wpa81", "328": "net40+sl5+win8+wp8+wpa81", "336": "net403+sl5+win8+wp8+wpa81",
	"344": "net45+sl5+win8+wp8+wpa81",
}
