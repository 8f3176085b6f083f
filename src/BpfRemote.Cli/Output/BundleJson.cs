using System.Text.Json;
using BpfRemote.Client;

namespace BpfRemote.Cli.Output;

/// <summary>Writes what a bundle holds as JSON.</summary>
internal static class BundleJson
{
    public static void Write(Utf8JsonWriter json, Bundle bundle)
    {
        json.WriteStartObject();
        json.WriteString("path", bundle.Path);
        json.WriteNumber("bytes", new FileInfo(bundle.Path).Length);
        json.WriteNumber("format", bundle.Manifest.Format);
        json.WriteString("created", bundle.Manifest.Created);
        json.WriteString("client_version", bundle.Manifest.ClientVersion);
        json.WriteString("hostname", bundle.Node.Hostname);
        json.WriteString("kernel_release", bundle.Node.KernelRelease);
        json.WriteString("boot_id", bundle.Node.BootId);
        json.WriteStartArray("maps");
        foreach (BundleMap contents in bundle.Manifest.Maps)
        {
            Write(json, bundle, contents);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Bundle bundle, BundleMap contents)
    {
        json.WriteStartObject();
        MapJson.WriteIdentity(json, bundle.Describe(contents));
        json.WriteNumber("entries", contents.Entries);
        json.WriteNumber("bytes", contents.Bytes);
        json.WriteBoolean("complete", contents.Complete);
        foreach ((string name, string? value) in (ReadOnlySpan<(string, string?)>)
            [("reason", contents.Reason), ("btf", contents.Btf), ("vmlinux_btf", contents.VmlinuxBtf), ("btf_error", contents.BtfError)])
        {
            if (value is not null)
            {
                json.WriteString(name, value);
            }
        }

        json.WriteEndObject();
    }
}
