package nuget

// v2Functions are the functions of the feed with their parameters, which all are
// text but the truth values. Old clients look for these names in $metadata
// before they use them.
var v2Functions = []struct {
	name       string
	parameters []v2Parameter
}{
	{"FindPackagesById", []v2Parameter{{"id", "Edm.String"}, {"semVerLevel", "Edm.String"}}},
	{"GetUpdates", []v2Parameter{
		{"packageIds", "Edm.String"},
		{"versions", "Edm.String"},
		{"includePrerelease", "Edm.Boolean"},
		{"includeAllVersions", "Edm.Boolean"},
		{"targetFrameworks", "Edm.String"},
		{"versionConstraints", "Edm.String"},
		{"semVerLevel", "Edm.String"},
	}},
	{"Search", []v2Parameter{
		{"searchTerm", "Edm.String"}, {"targetFramework", "Edm.String"}, {"includePrerelease", "Edm.Boolean"}, {"semVerLevel", "Edm.String"},
	}},
}

type v2Parameter struct{ name, edm string }

// appendV2Service writes the AtomPub service document.
func appendV2Service(b []byte, base string) []byte {
	b = append(append(b, xmlHead...), "<service"...)
	b = appendAttribute(b, "xml:base", base+"/")
	b = appendAttribute(b, "xmlns", xmlApp)
	b = appendAttribute(b, "xmlns:atom", xmlAtom)
	b = append(b, "><workspace>"...)
	b = appendElement(b, "atom:title", ` type="text"`, "Default")
	b = append(appendAttribute(append(b, "<collection"...), "href", "Packages"), '>')
	b = appendElement(b, "atom:title", ` type="text"`, "Packages")
	return append(b, "</collection></workspace></service>\n"...)
}

// appendV2Metadata writes the EDMX document that describes the feed.
func appendV2Metadata(b []byte) []byte {
	b = append(append(b, xmlHead...), "<edmx:Edmx"...)
	b = appendAttribute(appendAttribute(b, "Version", "1.0"), "xmlns:edmx", xmlEDMX)
	b = append(b, ">\n<edmx:DataServices"...)
	b = appendAttribute(b, "m:DataServiceVersion", "2.0")
	b = append(appendAttribute(b, "xmlns:m", xmlDataMeta), ">\n"...)
	b = appendV2EntitySchema(b)
	b = appendV2ContainerSchema(b)
	return append(b, "</edmx:DataServices>\n</edmx:Edmx>\n"...)
}

func appendSchema(b []byte, namespace string) []byte {
	b = appendAttribute(append(b, "<Schema"...), "Namespace", namespace)
	return append(appendAttribute(b, "xmlns", xmlEDM), ">\n"...)
}

func appendV2EntitySchema(b []byte) []byte {
	b = appendSchema(b, "NuGetGallery.OData")
	b = append(b, `<EntityType Name="V2FeedPackage" m:HasStream="true">`+"\n"...)
	b = append(b, `<Key><PropertyRef Name="Id"/><PropertyRef Name="Version"/></Key>`+"\n"...)
	for _, p := range v2Properties {
		b = appendAttribute(append(b, "<Property"...), "Name", p.name)
		b = appendAttribute(b, "Type", p.edm)
		if !p.nullable {
			b = appendAttribute(b, "Nullable", "false")
		}
		if p.target != "" {
			b = appendAttribute(b, "m:FC_TargetPath", p.target)
			b = appendAttribute(b, "m:FC_ContentKind", "text")
			b = appendAttribute(b, "m:FC_KeepInContent", "true")
		}
		b = append(b, "/>\n"...)
	}
	return append(b, "</EntityType>\n</Schema>\n"...)
}

func appendV2ContainerSchema(b []byte) []byte {
	b = appendSchema(b, "NuGetGallery")
	b = append(b, `<EntityContainer Name="V2FeedContext" m:IsDefaultEntityContainer="true">`+"\n"...)
	b = append(b, `<EntitySet Name="Packages" EntityType="`+v2EntityType+`"/>`+"\n"...)
	for _, f := range v2Functions {
		b = append(b, `<FunctionImport Name="`+f.name+`" ReturnType="Collection(`+v2EntityType+`)" EntitySet="Packages" m:HttpMethod="GET">`+"\n"...)
		for _, p := range f.parameters {
			b = append(b, `<Parameter Name="`+p.name+`" Type="`+p.edm+`" Mode="In"/>`+"\n"...)
		}
		b = append(b, "</FunctionImport>\n"...)
	}
	return append(b, "</EntityContainer>\n</Schema>\n"...)
}
