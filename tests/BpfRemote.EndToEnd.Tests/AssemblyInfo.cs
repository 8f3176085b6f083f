using System.Runtime.Versioning;

// Agents run on Linux, and so do the tests of their processes; elsewhere each is skipped.
[assembly: SupportedOSPlatform("linux")]
