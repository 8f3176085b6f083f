using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>The tool whose word on the contents of a map counts.</summary>
internal static class Bpftool
{
    public static string? Path { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(directory => System.IO.Path.Combine(directory, "bpftool")).FirstOrDefault(File.Exists);

    /// <summary>What <c>bpftool -j map dump</c> prints of a quiet map, without the keys whose value the kernel refuses.</summary>
    public static EntrySet Dump(uint mapId)
    {
        Utf8JsonReader json = new(Run("-j", "map", "dump", "id", mapId.ToString(CultureInfo.InvariantCulture)));
        EntrySet entries = new();
        Expect(ref json, JsonTokenType.StartArray);
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            List<byte> key = [];
            List<byte>? value = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                string name = json.GetString()!;
                json.Read();
                switch (name, json.TokenType)
                {
                    case ("key", JsonTokenType.StartArray):
                        ReadBytes(ref json, key);
                        break;
                    case ("value", JsonTokenType.StartArray):
                        ReadBytes(ref json, value = []);
                        break;
                    case ("values", JsonTokenType.StartArray):
                        ReadCpus(ref json, value = []);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }

            if (value is not null)
            {
                entries.Add([.. key], [.. value]);
            }
        }

        return entries;
    }

    private static void ReadCpus(ref Utf8JsonReader json, List<byte> value)
    {
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isValue = json.ValueTextEquals("value");
                json.Read();
                if (isValue)
                {
                    ReadBytes(ref json, value);
                }
            }
        }
    }

    /// <summary>An array of bytes, each a string such as <c>0x1f</c>.</summary>
    private static void ReadBytes(ref Utf8JsonReader json, List<byte> bytes)
    {
        while (json.Read() && json.TokenType == JsonTokenType.String)
        {
            bytes.Add(byte.Parse(json.ValueSpan["0x".Length..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        }
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type) => Assert.True(json.Read() && json.TokenType == type);

    private static byte[] Run(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Path!, arguments) { RedirectStandardOutput = true })!;
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        return output.ToArray();
    }
}
