#!/usr/bin/env bash
# The clients that read and write Maven repositories, each as a command in
# $CLIENTS_DIR/bin. Usage: maven.sh [NAME...], all that the tests need by default.
#
# Debian has Maven 3.8, Gradle 4.4, Ivy and Leiningen, and below
# /usr/share/maven-repo a repository with plugins. The other versions of Maven,
# sbt and coursier come through Debian's Maven, as the machine has it set up.
# Newer versions of Gradle are in no such repository and are not had.
cd "$(dirname "$0")" && . ./lib.sh

MAVEN39=3.9.11 MAVEN310=3.10.0 MAVEN4=4.0.0-rc-6
SBT=1.10.7 SCALA=2.13.15 COURSIER=2.1.24
DEPENDENCY=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

home="$CLIENTS_DIR/maven"
mkdir -p "$home"

# fetch NAME ARGUMENT...: Debian's Maven with a local repository of its own.
fetch() {
  local name="$1"
  shift
  debian_maven
  quiet "maven-$name" /usr/bin/mvn -B -Dmaven.repo.local="$home/fetched" "$@"
}

debian_maven() {
  debs maven default-jdk-headless libmaven-deploy-plugin-java libmaven-dependency-plugin-java \
    libmaven-install-plugin-java libmaven-resources-plugin-java libmaven-compiler-plugin-java \
    libmaven-jar-plugin-java libmaven-source-plugin-java libmaven-clean-plugin-java \
    libsurefire-java libmaven-plugin-tools-java
}

# maven NAME VERSION: a release of Maven, from the repository that has them all.
maven() {
  local dir="$home/apache-maven-$2"
  if [ ! -x "$dir/bin/mvn" ]; then
    fetch "$1" "$DEPENDENCY:copy" -Dartifact="org.apache.maven:apache-maven:$2:tar.gz:bin" -DoutputDirectory="$home"
    tar -xzf "$dir-bin.tar.gz" -C "$home"
    rm "$dir-bin.tar.gz"
  fi
  wrapper "$1" "exec \"$dir/bin/mvn\" \"\$@\""
}

# coursier has no program of its own there: its libraries are one together.
coursier() {
  local dir="$home/coursier-$COURSIER"
  if [ ! -d "$dir" ]; then
    printf '%s\n' "<project><modelVersion>4.0.0</modelVersion>" \
      "<groupId>org.example</groupId><artifactId>coursier</artifactId><version>1</version><packaging>pom</packaging>" \
      "<dependencies><dependency><groupId>io.get-coursier</groupId><artifactId>coursier-cli_2.13</artifactId>" \
      "<version>$COURSIER</version></dependency></dependencies></project>" >"$home/coursier.xml"
    fetch coursier -f "$home/coursier.xml" "$DEPENDENCY:copy-dependencies" -DincludeScope=runtime \
      -DoutputDirectory="$dir.part"
    mv "$dir.part" "$dir"
  fi
  wrapper coursier "exec java \${JVM_FLAGS:-} -cp \"$dir/*\" coursier.cli.Coursier \"\$@\""
}

# sbt loads itself, Scala and what it compiles with at its first start. It is
# started once here, on a project like those of the tests, and finds all of it
# below $home/sbt from then on.
sbt() {
  local dir="$home/sbt-$SBT"
  wrapper sbt "exec java \${JVM_FLAGS:-} -Dsbt.override.build.repos=true -Dsbt.repository.config=\"$dir/repositories\" \\
  -Dsbt.boot.directory=\"$dir/boot\" -Dsbt.coursier.home=\"$dir/coursier\" -Dsbt.global.base=\"$dir/global\" \\
  -Dsbt.ivy.home=\"\$HOME/.ivy2\" -Dsbt.server.autostart=false -Dsbt.supershell=false -Dsbt.color=false \\
  -jar \"$dir/sbt-launch-$SBT.jar\" \"\$@\""
  [ ! -f "$dir/complete-$SCALA" ] || return 0
  fetch sbt "$DEPENDENCY:copy" -Dartifact="org.scala-sbt:sbt-launch:$SBT" -DoutputDirectory="$dir"
  printf '[repositories]\n  local\n  maven-central\n' >"$dir/repositories"
  local project="$dir/first"
  mkdir -p "$project/project" "$project/src/main/scala"
  printf 'sbt.version=%s\n' "$SBT" >"$project/project/build.properties"
  printf 'class First\n' >"$project/src/main/scala/First.scala"
  printf 'name := "first"\n' >"$project/build.sbt"
  # As a library, also for another Scala, and as a plugin of sbt.
  (cd "$project" && quiet sbt-library env HOME="$dir/home" "$CLIENTS_DIR/bin/sbt" package makePom "++$SCALA!" package makePom \
    "++2.12.20!" 'set sbtPlugin := true' package makePom)
  rm -rf "$project" "$dir/home"
  touch "$dir/complete-$SCALA"
}

# Maven's plugin that signs; Debian has none.
gpg_plugin() {
  debs gpg gpg-agent
  [ ! -f "$home/plugins/complete" ] || return 0
  printf '%s\n' "<project><modelVersion>4.0.0</modelVersion>" \
    "<groupId>org.example</groupId><artifactId>signed</artifactId><version>1</version><packaging>pom</packaging>" \
    "<build><plugins><plugin><artifactId>maven-gpg-plugin</artifactId><version>3.2.7</version>" \
    "<executions><execution><goals><goal>sign</goal></goals></execution></executions></plugin></plugins></build></project>" >"$home/signed.xml"
  # A local repository is laid out as a remote one is.
  quiet maven-gpg /usr/bin/mvn -B -Dmaven.repo.local="$home/plugins" -f "$home/signed.xml" -Dgpg.skip=true verify
  touch "$home/plugins/complete"
}

install() {
  case "$1" in
  mvn3.8)
    debian_maven
    wrapper mvn3.8 'exec /usr/bin/mvn "$@"' ;;
  mvn3.9) maven mvn3.9 $MAVEN39 ;;
  mvn3.10) maven mvn3.10 $MAVEN310 ;;
  mvn4) maven mvn4 $MAVEN4 ;;
  gpg) gpg_plugin ;;
  gradle4)
    debs gradle
    wrapper gradle4 'exec /usr/bin/gradle "$@"' ;;
  ivy)
    debs ivy libhttpclient-java libhttpcore-java libcommons-logging-java libcommons-codec-java
    local j=/usr/share/java
    wrapper ivy "exec java \${JVM_FLAGS:-} -cp $j/ivy.jar:$j/httpclient.jar:$j/httpcore.jar:$j/commons-logging.jar:$j/commons-codec.jar org.apache.ivy.Main \"\$@\"" ;;
  lein)
    debs leiningen
    wrapper lein 'exec /usr/bin/lein "$@"' ;;
  coursier) coursier ;;
  sbt) sbt ;;
  *)
    say "maven.sh: no client is called $1"
    return 2 ;;
  esac
}

[ $# -gt 0 ] || set -- mvn3.8 mvn3.9 mvn3.10 mvn4 gpg gradle4 ivy lein coursier sbt
for client in "$@"; do install "$client"; done
