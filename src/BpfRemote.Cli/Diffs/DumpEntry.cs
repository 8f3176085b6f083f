using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Diffs;

/// <summary>Reads the entries of a dump, which all have one shape.</summary>
/// <param name="path">The dump, for messages.</param>
internal sealed class DumpEntry(string path)
{
    private readonly List<byte> _key = [];
    private readonly List<byte> _value = [];
    private readonly List<uint> _cpus = [];
    private EntryShape? _shape;
    private long _count;
    private bool _isPerCpu;
    private string? _error;

    /// <summary>Reads an entry; for an index that holds nothing, which bpftool prints as an error, none is handed over.</summary>
    /// <exception cref="CommandException">It is no entry, or says that the dump failed.</exception>
    public void Read(ReadOnlySpan<byte> text, EntryHandler handle)
    {
        _count++;
        _key.Clear();
        _value.Clear();
        _cpus.Clear();
        _isPerCpu = false;
        _error = null;
        Utf8JsonReader json = new(text);
        json.Read();
        bool hasKey = false, hasValue = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string member = json.GetString()!;
            json.Read();
            switch (member)
            {
                case "key":
                    ReadBytes(ref json, _key);
                    hasKey = true;
                    break;
                case "value":
                    ReadValue(ref json);
                    hasValue = true;
                    break;
                case "values":
                    ReadCpus(ref json);
                    hasValue = true;
                    break;
                case "error":
                    throw Unusable($"it is not complete: {json.GetString()}");
                case "elements":
                    throw Unusable("it is of several maps; dump one by its id");
                default:
                    json.Skip();
                    break;
            }
        }

        if (!hasKey || !hasValue)
        {
            throw Unusable($"object {_count} has no key or no value; expected what -j map dump prints");
        }

        if (_error != ErrnoText.Of("ENOENT"))
        {
            handle(Shape(), CollectionsMarshal.AsSpan(_key), CollectionsMarshal.AsSpan(_value));
        }
    }

    private EntryShape Shape()
    {
        int blocks = _isPerCpu ? Math.Max(1, _cpus.Count) : 1;
        _shape ??= new(_key.Count, _value.Count / blocks, _isPerCpu ? [.. _cpus] : null, ByteOrder.Unspecified);
        return _shape.KeySize == _key.Count && _shape.PackedSize == _value.Count && _shape.Cpus?.Count == (_isPerCpu ? _cpus.Count : null)
            ? _shape
            : throw Unusable($"entry {_count} has a key of {_key.Count} and a value of {_value.Count} bytes, and those before {_shape}");
    }

    private void ReadValue(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            ReadBytes(ref json, _value);
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isError = json.ValueTextEquals("error"u8);
            json.Read();
            _error = isError && json.TokenType == JsonTokenType.String ? json.GetString() : throw NoBytes(ref json);
        }
    }

    private void ReadCpus(ref Utf8JsonReader json)
    {
        _isPerCpu = true;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw NoBytes(ref json);
        }

        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isCpu = json.ValueTextEquals("cpu"u8), isValue = json.ValueTextEquals("value"u8);
                json.Read();
                if (isCpu && json.TokenType == JsonTokenType.Number && json.TryGetUInt32(out uint cpu))
                {
                    _cpus.Add(cpu);
                }
                else if (isValue)
                {
                    ReadBytes(ref json, _value);
                }
                else
                {
                    json.Skip();
                }
            }
        }
    }

    private void ReadBytes(ref Utf8JsonReader json, List<byte> bytes)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw NoBytes(ref json);
        }

        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            bytes.Add(json.TokenType == JsonTokenType.String && json.ValueSpan is [(byte)'0', (byte)'x', _, _]
                && byte.TryParse(json.ValueSpan[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value)
                    ? value
                    : throw NoBytes(ref json));
        }
    }

    /// <summary>The error of a dump that cannot be used.</summary>
    public CommandException Unusable(string why) => new(ExitCode.Failed, $"'{path}' is no dump of a map: {why}");

    private CommandException NoBytes(ref Utf8JsonReader json) =>
        Unusable($"entry {_count} has a {json.TokenType} where bytes such as [\"0x1f\",\"0x00\"] are expected, as -j map dump prints them");
}
