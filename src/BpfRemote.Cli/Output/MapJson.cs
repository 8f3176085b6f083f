using System.Text.Json;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>Writes a map as <c>bpftool -j map show</c> does.</summary>
internal static class MapJson
{
    /// <summary>Writes a map.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="map">The map.</param>
    /// <param name="references">
    /// Whether to add pinned paths, and where there are any, <c>pids</c> (as later versions of bpftool) and <c>programs</c>.
    /// </param>
    public static void Write(Utf8JsonWriter json, Map map, bool references)
    {
        json.WriteStartObject();
        WriteIdentity(json, map);
        WriteDevice(json, map);
        json.WriteNumber("bytes_key", map.KeySize);
        json.WriteNumber("bytes_value", map.ValueSize);
        json.WriteNumber("max_entries", map.MaxEntries);
        json.WriteNumber("bytes_memlock", map.MemlockBytes);
        if (map.OwnerProgType.Length > 0)
        {
            WriteNameOrNumber(json, "owner_prog_type", map.OwnerProgType);
            json.WriteBoolean("owner_jited", map.OwnerJited);
        }

        json.WriteNumber("frozen", map.Frozen ? 1 : 0);
        if (map.BtfId != 0)
        {
            json.WriteNumber("btf_id", map.BtfId);
        }

        if (references)
        {
            WriteReferences(json, map);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes the members that every description of a map begins with.</summary>
    public static void WriteIdentity(Utf8JsonWriter json, Map map)
    {
        json.WriteNumber("id", map.Id);
        WriteNameOrNumber(json, "type", map.TypeName);
        if (map.Name.Length > 0)
        {
            json.WriteString("name", map.Name);
        }

        // bpftool prints flags as signed.
        json.WriteNumber("flags", (int)map.Flags);
    }

    private static void WriteDevice(Utf8JsonWriter json, Map map)
    {
        if (map.Ifindex == 0)
        {
            return;
        }

        json.WriteStartObject("dev");
        json.WriteNumber("ifindex", map.Ifindex);
        json.WriteNumber("ns_dev", map.NetnsDev);
        json.WriteNumber("ns_inode", map.NetnsIno);
        json.WriteEndObject();
    }

    private static void WriteReferences(Utf8JsonWriter json, Map map)
    {
        json.WriteStartArray("pinned");
        foreach (string path in map.PinnedPaths)
        {
            json.WriteStringValue(path);
        }

        json.WriteEndArray();
        if (map.Owners.Count > 0)
        {
            json.WriteStartArray("pids");
            foreach (OwnerProcess owner in map.Owners)
            {
                json.WriteStartObject();
                json.WriteNumber("pid", owner.Pid);
                json.WriteString("comm", owner.Comm);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (map.Programs.Count > 0)
        {
            json.WriteStartArray("programs");
            foreach (ProgramReference program in map.Programs)
            {
                json.WriteStartObject();
                json.WriteNumber("id", program.Id);
                WriteNameOrNumber(json, "type", program.Type);
                json.WriteString("name", program.Name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    // What has no name yet is a number, to bpftool too.
    private static void WriteNameOrNumber(Utf8JsonWriter json, string member, string value)
    {
        if (uint.TryParse(value, out uint number))
        {
            json.WriteNumber(member, number);
        }
        else
        {
            json.WriteString(member, value);
        }
    }
}
