; Inno Setup 6: `iscc /DVersion=0.1.0 shipping\windows\braintumor.iss` after `py dev.py build`.
; Silent: braintumor-desktop-0.1.0-setup.exe /VERYSILENT /NORESTART [/DIR=...] [/ALLUSERS | /CURRENTUSER]
#ifndef Version
  #error Give the version: /DVersion=0.1.0
#endif

[Setup]
AppId={{6B0B6C0A-5C0F-4E63-9C7B-2B0A3B2D9E55}
AppName=Brain Tumour MRI
AppVersion={#Version}
AppPublisher=The braintumor-desktop authors
AppComments=Research use only. Not a medical device. Not for diagnosis.
VersionInfoVersion={#Version}
DefaultDirName={autopf}\Brain Tumour MRI
DefaultGroupName=Brain Tumour MRI
DisableProgramGroupPage=yes
PrivilegesRequired=admin
PrivilegesRequiredOverridesAllowed=dialog commandline
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
ChangesEnvironment=yes
LicenseFile=..\..\LICENSE
SetupIconFile=..\..\build\build\icons\braintumor.ico
UninstallDisplayIcon={app}\braintumor-desktop.exe
OutputDir=..\..\dist
OutputBaseFilename=braintumor-desktop-{#Version}-setup
Compression=lzma2/max
SolidCompression=yes
LZMANumBlockThreads=4

[Tasks]
Name: associate; Description: "Open DICOM and NIfTI files with this program"
Name: path; Description: "Let `braintumor` be typed in a console (adds its folder to PATH)"; Flags: unchecked

; An older version's parts, which the new one may not have.
[InstallDelete]
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "..\..\dist\braintumor\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\Brain Tumour MRI"; Filename: "{app}\braintumor-desktop.exe"

[Registry]
Root: HKA; Subkey: "Software\Classes\BrainTumourMRI.Study"; ValueType: string; ValueData: "Brain MRI study"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\BrainTumourMRI.Study\DefaultIcon"; ValueType: string; ValueData: "{app}\braintumor-desktop.exe,0"
Root: HKA; Subkey: "Software\Classes\BrainTumourMRI.Study\shell\open\command"; ValueType: string; ValueData: """{app}\braintumor-desktop.exe"" ""%1"""
; Offered beside what opens these files now. Windows knows one ending only, so .nii.gz goes by .gz, which is left alone.
Root: HKA; Subkey: "Software\Classes\.dcm\OpenWithProgids"; ValueType: string; ValueName: "BrainTumourMRI.Study"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "Software\Classes\.nii\OpenWithProgids"; ValueType: string; ValueName: "BrainTumourMRI.Study"; Flags: uninsdeletevalue; Tasks: associate
Root: HKA; Subkey: "{code:EnvironmentKey}"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Check: NotYetInPath; Tasks: path

[Code]
function EnvironmentKey(Param: String): String;
begin
  if IsAdminInstallMode then
    Result := 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
  else
    Result := 'Environment';
end;

function NotYetInPath: Boolean;
var
  Path: String;
begin
  if not RegQueryStringValue(HKA, EnvironmentKey(''), 'Path', Path) then
    Path := '';
  Result := Pos(';' + Uppercase(ExpandConstant('{app}')) + ';', ';' + Uppercase(Path) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path, Entry: String;
begin
  if (Step = usPostUninstall) and RegQueryStringValue(HKA, EnvironmentKey(''), 'Path', Path) then
  begin
    Entry := ';' + ExpandConstant('{app}');
    if Pos(Uppercase(Entry), Uppercase(Path)) > 0 then
    begin
      StringChangeEx(Path, Entry, '', True);
      RegWriteExpandStringValue(HKA, EnvironmentKey(''), 'Path', Path);
    end;
  end;
end;
